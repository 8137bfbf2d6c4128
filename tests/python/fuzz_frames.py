"""Sends random and mutated bytes to a server, at three depths: TCP (and TLS), HTTP/2 frames, protobuf messages.

    python fuzz_frames.py TARGET PID CONNECTIONS [--ca FILE] [--seed SEED] [--seconds N]

TARGET is the Calculator, in the process PID; with --ca it has TLS. Every connection ends with the client's end of input,
which the server must answer by closing it. Beside them a client makes RPCs, which must all be right, and the process may
take little memory. A failure has the seed, which sends the same bytes again.
"""

import argparse
import contextlib
import random
import socket
import ssl
import sys
import threading
import time

import grpc

from checks import PATIENCE
from hostile_frames import (
    ADD, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY, RST_STREAM, SETTINGS,
    UNKNOWN, WINDOW_UPDATE, block, field, frame, message, peak_memory,
)
from http2 import PREFACE

METHODS = [ADD, "/calc.BatchCalculator/Calculate", "/grpc.health.v1.Health/Check", "/calc.Calculator/Divide"]
METHODS += ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/x", ""]
KINDS = [*range(11), UNKNOWN]
REQUEST, SUM = b"\x08\x14\x10\x0a", b"\x08\x1e"
# What all connections may take: what one sends is less than 1 MiB.
MEMORY = 64 * 1024 * 1024


def mutate(source, data):
    """Changes some of the bytes: flips, cuts, copies and inserts."""
    data = bytearray(data)
    for _ in range(source.choice([1, 1, 2, 8])):
        at = source.randrange(len(data) + 1)
        change = source.randrange(6)
        if change == 0 and at < len(data):
            data[at] ^= 1 << source.randrange(8)
        elif change == 1 and at < len(data):
            data[at] = source.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif change == 2:
            del data[at : at + source.randrange(1, 9)]
        elif change == 3:
            data[at:at] = source.randbytes(source.randrange(1, 9))
        elif change == 4:
            data[at:at] = data[at : at + source.randrange(1, 64)]
        elif change == 5:
            data[at : at + 4] = source.randrange(1 << 32).to_bytes(4, "big")
    return bytes(data)


def rpc(source, stream, request):
    """The frames of an RPC, as a valid client might cut them."""
    fields = block(field("key", "value", indexed=source.random() < 0.5), path=source.choice(METHODS))
    cut = source.randrange(len(fields))
    frames = [(HEADERS, END_HEADERS, stream, fields)]
    if source.random() < 0.3:
        frames = [(HEADERS, 0, stream, fields[:cut]), (CONTINUATION, END_HEADERS, stream, fields[cut:])]
    cut = source.randrange(len(request) + 1)
    if source.random() < 0.3:
        return frames + [(DATA, 0, stream, request[:cut]), (DATA, END_STREAM, stream, request[cut:])]
    return frames + [(DATA, END_STREAM, stream, request)]


def conversation(source, mutated_request=False):
    """The frames of some RPCs and what may be among them."""
    frames = [(SETTINGS, 0, 0, b"")]
    for number in range(source.randrange(1, 12)):
        request = mutate(source, REQUEST) if mutated_request else REQUEST
        frames += rpc(source, 2 * number + 1, message(request))
        frames += source.choices([
            (PING, 0, 0, b"12345678"),
            (SETTINGS, 0, 0, bytes([0, source.randrange(8)]) + source.randbytes(4)),
            (WINDOW_UPDATE, 0, source.choice([0, 2 * number + 1]), b"\0\0\1\0"),
            (PRIORITY, 0, 2 * number + 1, b"\0\0\0\0\x10"),
            (RST_STREAM, 0, 2 * number + 1, b"\0\0\0\x08"),
            (DATA, PADDED, 2 * number + 1, b"\3xyz\0\0\0"),
            (GOAWAY, 0, 0, bytes(8)),
            (UNKNOWN, 0, 0, b"x"),
        ], weights=[4, 2, 4, 2, 2, 1, 0.3, 1], k=source.randrange(3))
    return frames


def mutate_frames(source, frames):
    frames = list(frames)
    for _ in range(source.choice([1, 1, 2, 5])):
        at = source.randrange(len(frames))
        kind, flags, stream, body = frames[at]
        change = source.randrange(7)
        if change == 0:
            frames[at] = (source.choice(KINDS), flags, stream, body)
        elif change == 1:
            frames[at] = (kind, source.randrange(256), stream, body)
        elif change == 2:
            frames[at] = (kind, flags, source.choice([0, 1, 2, 3, (stream + 2) % (1 << 32), 0x7FFFFFFF, 0xFFFFFFFF]), body)
        elif change == 3:
            frames[at] = (kind, flags, stream, mutate(source, body))
        elif change == 4:
            frames.insert(at, frames[source.randrange(len(frames))])
        elif change == 5 and len(frames) > 1:
            del frames[at]
        elif change == 6:
            other = source.randrange(len(frames))
            frames[at], frames[other] = frames[other], frames[at]
    return frames


def encode(frames):
    return PREFACE + b"".join(frame(*each) for each in frames)


def client_hello():
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


class Fuzzer:
    def __init__(self, target, ca):
        host, port = target.rsplit(":", 1)
        self.address = (host, int(port))
        self.tls = ssl.create_default_context(cafile=ca) if ca else None
        if ca:
            self.tls.set_alpn_protocols(["h2"])
        self.frames = 0

    def attack(self, source):
        """One connection; returns its depth."""
        depth = source.choice(["TCP", "frames", "frames", "messages"])
        inside = self.tls is not None
        if depth == "TCP":
            inside = inside and source.random() < 0.5
            # Without a handshake it is what TLS reads.
            valid = encode(conversation(source)) if inside or not self.tls else client_hello()
            data = source.randbytes(source.randrange(2000)) if source.random() < 0.3 else mutate(source, valid)
        else:
            frames = conversation(source, mutated_request=depth == "messages")
            frames = mutate_frames(source, frames) if depth == "frames" else frames
            self.frames += len(frames)
            data = encode(frames)
        with socket.create_connection(self.address, timeout=PATIENCE) as plain:
            connection = self.tls.wrap_socket(plain, server_hostname="localhost") if inside else plain
            try:
                while data:
                    piece = source.choice([len(data), source.randrange(1, 100)])
                    connection.sendall(data[:piece])
                    data = data[piece:]
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
            except TimeoutError:
                raise AssertionError(f"the server does not close a connection that has ended ({depth})") from None
            except OSError:
                # The server may close the connection before it has read everything.
                pass
            finally:
                connection.close()
        return depth


def check_rpcs(target, ca, ended, failures):
    """Makes RPCs until `ended`; counts them in `failures`, with None for each that was right."""
    credentials = grpc.ssl_channel_credentials(open(ca, "rb").read()) if ca else None
    channel = grpc.secure_channel(target, credentials) if ca else grpc.insecure_channel(target)
    with channel:
        add = channel.unary_unary(ADD)
        while not ended.is_set():
            try:
                reply = add(REQUEST, timeout=PATIENCE)
                failures.append(None if reply == SUM else f"a reply was {reply!r}")
            except grpc.RpcError as error:
                failures.append(str(error))
            # As often as another client might; the others are to be quick.
            ended.wait(0.002)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("pid", type=int)
    parser.add_argument("connections", type=int)
    parser.add_argument("--ca")
    parser.add_argument("--seconds", type=float, default=3600, help="ends after this time, with fewer connections")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()

    ended, outcomes = threading.Event(), []
    checker = threading.Thread(target=check_rpcs, args=(args.target, args.ca, ended, outcomes))
    checker.start()
    fuzzer, depths = Fuzzer(args.target, args.ca), {}
    before, began = peak_memory(args.pid), time.monotonic()
    try:
        for number in range(args.connections):
            # Each has a seed of its own, so that one can be repeated alone.
            seed = args.seed + number
            try:
                depth = fuzzer.attack(random.Random(seed))
            except Exception as error:
                sys.exit(f"{type(error).__name__}: {error}; repeat it with: 1 --seed {seed}")
            depths[depth] = depths.get(depth, 0) + 1
            if time.monotonic() - began > args.seconds:
                break
    finally:
        ended.set()
        checker.join()
    grown = peak_memory(args.pid) - before
    failures = [outcome for outcome in outcomes if outcome]
    print(
        f"{sum(depths.values())} connections ({', '.join(f'{depths[depth]} {depth}' for depth in sorted(depths))}) with "
        f"{fuzzer.frames} frames in {time.monotonic() - began:.0f} s from seed {args.seed}; {len(outcomes)} RPCs beside "
        f"them, of which {len(failures)} failed; {grown / 1048576:.1f} MiB more memory"
    )
    if failures or not outcomes or grown > MEMORY:
        sys.exit(f"seed {args.seed}: {failures[:3]}, {grown >> 20} MiB")


if __name__ == "__main__":
    main()
