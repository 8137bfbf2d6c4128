"""A server that answers every call with OK and no message.

    python tests/python/no_message.py
"""

from concurrent import futures

import grpc

from serving import serve


class NoMessage(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.stream_stream_rpc_method_handler(lambda requests, context: iter(()))


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2), handlers=[NoMessage()])
    serve(server)


if __name__ == "__main__":
    main()
