"""A Calculator with a fault: python tests/python/faulty_calculator.py FAULT, one of the functions below"""

import sys
import threading
import time
from concurrent import futures

import calc_pb2
import calc_pb2_grpc
import grpc

from serving import serve


class Faulty(calc_pb2_grpc.CalculatorServicer):
    def __init__(self, fault):
        self.fault, self.lock, self.calls = fault, threading.Lock(), 0

    def Add(self, request, context):
        # A call that stalls blocks all others.
        with self.lock:
            self.calls += 1
            n1 = request.n1 + request.n2 + self.fault(self.calls, context)
        return calc_pb2.AddReply(n1=n1)

    def Substract(self, request, context):
        """The number of calls of Add."""
        return calc_pb2.SubstractReply(n1=self.calls)


def mixed(call, context):
    """Of ten calls two fail with different statuses, and one has a wrong result."""
    if call % 10 == 1:
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "there was\na fault")
    if call % 10 == 2:
        context.abort(grpc.StatusCode.NOT_FOUND, "there was another")
    return 1 if call % 10 == 3 else 0


def stalling(call, context):
    """The 100th call takes a second."""
    if call == 100:
        time.sleep(1)
    return 0


def slow(call, context):
    """At most fifty calls a second."""
    time.sleep(0.02)
    return 0


def hanging(call, context):
    """The 50th call never returns, and blocks all others."""
    if call == 50:
        print("hanging", file=sys.stderr, flush=True)
        threading.Event().wait()
    return 0


def restarting(call, context):
    """The first three calls fail."""
    if call <= 3:
        context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")
    return 0


def unavailable(call, context):
    """Every call fails."""
    context.abort(grpc.StatusCode.UNAVAILABLE, "in repair")


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
    calc_pb2_grpc.add_CalculatorServicer_to_server(Faulty(globals()[sys.argv[1]]), server)
    serve(server)


if __name__ == "__main__":
    main()
