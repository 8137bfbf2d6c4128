"""The Calculator's client on Python's grpcio: a thread for each call in flight, all on one channel.

    python client.py HOST:PORT                     one call, as a program of its own
    python client.py HOST:PORT IN_FLIGHT CALLS     a measured run (benches/compare/clients.py)
"""

import concurrent.futures
import sys
import time

import calc_pb2
import calc_pb2_grpc
import grpc


def add(stub):
    reply = stub.Add(calc_pb2.AddRequest(n1=20, n2=10), timeout=5)
    if reply.n1 != 30:
        sys.exit(f"20 + 10 is {reply.n1}")
    return reply.n1


def latencies_of(stub, calls):
    """Makes calls one after the other. Returns their latencies in µs."""
    latencies = []
    for _ in range(calls):
        began = time.perf_counter()
        add(stub)
        latencies.append((time.perf_counter() - began) * 1e6)
    return latencies


def run(stub, in_flight, calls):
    """Makes equally many calls on each of `in_flight` threads. Returns their latencies in µs."""
    with concurrent.futures.ThreadPoolExecutor(in_flight) as pool:
        loops = [pool.submit(latencies_of, stub, calls // in_flight) for _ in range(in_flight)]
        return [latency for loop in loops for latency in loop.result()]


def tell(what):
    """Tells the measuring program `what`, and waits until it answers."""
    print(what, flush=True)
    sys.stdin.readline()


def main():
    address, *counts = sys.argv[1:]
    with grpc.insecure_channel(address) as channel:
        stub = calc_pb2_grpc.CalculatorStub(channel)
        if not counts:
            print(add(stub))
            return
        in_flight, calls = map(int, counts)
        run(stub, in_flight, max(in_flight, calls // 5))
        tell("ready")
        latencies = sorted(run(stub, in_flight, calls))
        tell("done")
        print(latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100])


if __name__ == "__main__":
    main()
