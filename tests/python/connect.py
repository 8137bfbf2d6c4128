"""Arguments for a channel: plaintext or TLS, with a client certificate or a token."""

import argparse
import pathlib

import grpc


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--ca", type=pathlib.Path)
    parser.add_argument("--cert", type=pathlib.Path)
    parser.add_argument("--key", type=pathlib.Path)
    return parser


def connect(args, token=None):
    """Creates a channel that sends `token` with every RPC; gRPC itself does so only over TLS."""
    # Otherwise channels with the same credentials share their connections.
    options = [("grpc.use_local_subchannel_pool", 1)]
    if not args.ca:
        assert token is None
        return grpc.insecure_channel(args.target, options)
    pair = [path.read_bytes() if path else None for path in (args.key, args.cert)]
    credentials = grpc.ssl_channel_credentials(args.ca.read_bytes(), *pair)
    if token:
        credentials = grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))
    return grpc.secure_channel(args.target, credentials, options)
