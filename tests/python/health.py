"""Checks, lists and watches a server's health with PyPI's grpcio-health-checking.

    python tests/python/health.py TARGET all        every method, on a new server
    python tests/python/health.py TARGET watch      the states of the server as a whole, until the end
    python tests/python/health.py serve STATUS      a server whose calc.Calculator is in this state
"""

import sys
import threading
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from checks import PATIENCE
from serving import announce

State = health_pb2.HealthCheckResponse.ServingStatus


def request(service):
    return health_pb2.HealthCheckRequest(service=service)


def check(stub, service):
    try:
        return State.Name(stub.Check(request(service), timeout=PATIENCE).status)
    except grpc.RpcError as error:
        return error.code().name


def every_method(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "calc.Calculator", "test.Nowhere"):
        print(f"check {service!r}: {check(stub, service)}")
    statuses = stub.List(health_pb2.HealthListRequest(), timeout=PATIENCE).statuses
    for service in sorted(statuses):
        print(f"list {service!r}: {State.Name(statuses[service].status)}")
    for service in ("", "test.Nowhere"):
        watch = stub.Watch(request(service), timeout=PATIENCE)
        print(f"watch {service!r}: {State.Name(next(watch).status)}")
        watch.cancel()


def watch(channel):
    try:
        for reply in health_pb2_grpc.HealthStub(channel).Watch(request(""), timeout=PATIENCE):
            print(State.Name(reply.status), flush=True)
    except grpc.RpcError as error:
        print(f"{error.code().name}: {error.details()}", flush=True)


def serve(status):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    servicer = health.HealthServicer()
    servicer.set("calc.Calculator", State.Value(status))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    announce(port)
    threading.Event().wait()


def main():
    if sys.argv[1] == "serve":
        return serve(sys.argv[2])
    with grpc.insecure_channel(sys.argv[1]) as channel:
        {"all": every_method, "watch": watch}[sys.argv[2]](channel)


if __name__ == "__main__":
    main()
