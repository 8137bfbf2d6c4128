"""A server that answers every call with OK, and with no message.

    python tests/python/no_message.py
"""

from concurrent import futures

import grpc

from serving import announce


class NoMessage(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.stream_stream_rpc_method_handler(lambda requests, context: iter(()))


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2), handlers=[NoMessage()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    announce(port)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
