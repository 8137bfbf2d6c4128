"""Servers that read compressed requests and send compressed replies.

    python tests/python/compressing.py frames       prints how each request was compressed, and echoes it
    python tests/python/compressing.py bombs        replies with messages that are huge when decompressed
    python tests/python/compressing.py identity     a gRPC server without compression, which echoes requests
"""

import gzip
import socket
import sys
import zlib
from concurrent import futures

import grpc

from checks import PATIENCE
from http2 import Accepted
from serving import announce, serve

COMPRESS = {"gzip": gzip.compress, "deflate": zlib.compress}
DECOMPRESS = {"gzip": gzip.decompress, "deflate": zlib.decompress}


def accept():
    """Accepts the one connection of a server that speaks HTTP/2 only."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        announce(listener.getsockname()[1])
        return Accepted(listener.accept()[0])


def frames():
    connection = accept()
    for stream, headers, data in connection.calls():
        encoding = headers.get("grpc-encoding", "none")
        rest = data
        while rest:
            is_compressed, end = rest[0], 5 + int.from_bytes(rest[1:5], "big")
            message, rest = rest[5:end], rest[end:]
            assert len(message) == end - 5, "a message is cut off"
            length = len(message)
            if is_compressed:
                message = DECOMPRESS[encoding](message)
                assert length < len(message)
            how = ["uncompressed", "compressed"][is_compressed]
            print(f"{encoding}: {len(message)} bytes, {how}", file=sys.stderr, flush=True)
        # Compressed as the request was.
        more = {"grpc_encoding": encoding} if data[0] else {}
        connection.reply(stream, data, **more)


def bombs():
    connection, zeros = accept(), bytes(20_000_000)
    # With the compressed flag of the message, and without.
    replies = [(1, "gzip"), (1, "deflate"), (0, "gzip"), (0, "deflate")]
    for (stream, _, _), (is_compressed, encoding) in zip(connection.calls(), replies):
        reply = COMPRESS[encoding](zeros)
        more = {"grpc_encoding": encoding} if is_compressed else {}
        connection.reply(stream, bytes([is_compressed]) + len(reply).to_bytes(4, "big") + reply, **more)


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)


def identity():
    # A bit for each algorithm; the first is identity.
    options = [("grpc.compression_enabled_algorithms_bitset", 1)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2), handlers=[Echo()], options=options)
    serve(server)


if __name__ == "__main__":
    {"frames": frames, "bombs": bombs, "identity": identity}[sys.argv[1]]()
