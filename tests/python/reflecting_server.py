"""A server with Python's reflection, which is v1alpha only, and no service behind it.

    python tests/python/reflecting_server.py SERVICE...
"""

import sys
from concurrent import futures

import calc_pb2  # Its services and messages are what is reflected.
import grpc
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection

from serving import serve

# A descriptor is registered when its module is loaded.
assert calc_pb2 and health_pb2


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    reflection.enable_server_reflection(sys.argv[1:], server, pool=descriptor_pool.Default())
    serve(server)


if __name__ == "__main__":
    main()
