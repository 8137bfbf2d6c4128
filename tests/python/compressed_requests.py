"""Servers that are asked with compressed requests, and give back what they get.

    python tests/python/compressed_requests.py frames       tells of each message how it came, over one connection
    python tests/python/compressed_requests.py identity     a gRPC server that knows no algorithm
"""

import gzip
import socket
import sys
import zlib
from concurrent import futures

import grpc

from checks import PATIENCE
from http2 import Accepted
from serving import announce

DECOMPRESS = {"gzip": gzip.decompress, "deflate": zlib.decompress}


def frames():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        announce(listener.getsockname()[1])
        connection = Accepted(listener)
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
            how = ["as it is", "compressed"][is_compressed]
            print(f"{encoding}: {len(message)} bytes, {how}", file=sys.stderr, flush=True)
        # In the form that it came in.
        more = {"grpc_encoding": encoding} if data[0] else {}
        connection.reply(stream, data, **more)


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)


def identity():
    # A bit for each algorithm; the first is identity.
    options = [("grpc.compression_enabled_algorithms_bitset", 1)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2), handlers=[Echo()], options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    announce(port)
    server.wait_for_termination()


if __name__ == "__main__":
    {"frames": frames, "identity": identity}[sys.argv[1]]()
