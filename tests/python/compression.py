"""Checks the compression of replies: python compression.py gzip|deflate TARGET, which prefers that algorithm."""

import gzip
import sys
import zlib

import grpc

from checks import PATIENCE
from http2 import Http2

UNARY = "/test.Kinds/Unary"
# A Shape whose field `hand` has 2,000 letters, and one with 2.
LONG, SHORT = b"\x22\xd0\x0f" + b"x" * 2000, b"\x22\x02xx"

algorithm, target = sys.argv[1:]
decompress = {"gzip": gzip.decompress, "deflate": zlib.decompress}

client = Http2(target)
for accepted, used in [("identity,deflate,gzip", algorithm), ("gzip", "gzip"), ("deflate", "deflate")]:
    headers, reply = client.call(UNARY, LONG, grpc_accept_encoding=accepted)
    assert headers["grpc-encoding"] == used, headers
    assert reply[0] == 1 and decompress[used](reply[5:]) == LONG, reply
    # A short reply is not compressed.
    headers, reply = client.call(UNARY, SHORT, grpc_accept_encoding=accepted)
    assert reply[0] == 0 and reply[5:] == SHORT, reply
# A client that accepts no algorithm of ours, or names none, gets uncompressed replies.
for more in ({}, {"grpc_accept_encoding": "identity"}, {"grpc_accept_encoding": "br"}):
    headers, reply = client.call(UNARY, LONG, **more)
    assert "grpc-encoding" not in headers and reply[0] == 0 and reply[5:] == LONG, headers

# Python's own client, requests and replies.
for compression in grpc.Compression:
    with grpc.insecure_channel(target) as channel:
        for request in (LONG, SHORT, b""):
            reply = channel.unary_unary(UNARY)(request, timeout=PATIENCE, compression=compression)
            assert reply == request, (compression, reply)
            replies = channel.unary_stream("/test.Kinds/ServerStreaming")(
                b"\n\x02\x08\x04" * 1000, timeout=PATIENCE, compression=compression
            )
            assert list(replies) == [b"\x08\x04"] * 1000
