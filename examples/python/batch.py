"""Many calculations in one RPC, in Python.

Run it from the project's root, with requirements.txt installed and a server of this project. The first command
generates the stubs of both services:

    python -m grpc_tools.protoc -I./protos --python_out=. --grpc_python_out=. ./protos/calc.proto ./protos/calc_batch.proto
    PYTHONPATH=. python examples/python/batch.py [TARGET]

TARGET is localhost:50050 unless given. It divides three pairs, of which one fails, and then a million.
"""

import itertools
import sys

import grpc

try:
    import calc_batch_pb2
    import calc_batch_pb2_grpc
except ModuleNotFoundError as error:
    sys.exit(f"{error}; generate the stubs and set PYTHONPATH:\n{__doc__}")

# Pairs per message; the maximum is 65536.
ELEMENTS = 8192

# An RPC without a deadline may wait for ever.
DEADLINE_SECONDS = 60


def requests(operation, pairs):
    """Yields messages of ELEMENTS pairs. gRPC takes them as fast as the server does."""
    pairs = iter(pairs)
    while chunk := list(itertools.islice(pairs, ELEMENTS)):
        n1, n2 = zip(*chunk)
        yield calc_batch_pb2.BatchRequest(operation=operation, n1=n1, n2=n2)


def divide(stub, pairs):
    """Yields the quotient of each pair in their order, or None for a division by zero."""
    for reply in stub.Calculate(requests(calc_batch_pb2.OPERATION_DIVIDE, pairs), timeout=DEADLINE_SECONDS):
        quotients = list(reply.f1)
        for error in reply.errors:
            quotients[error.index] = None
        yield from quotients


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else "localhost:50050"
    with grpc.insecure_channel(target) as channel:
        stub = calc_batch_pb2_grpc.BatchCalculatorStub(channel)
        try:
            for quotient in divide(stub, [(10, 4), (1, 0), (7, 2)]):
                print(quotient)
            print(sum(divide(stub, ((n, 2) for n in range(1, 1_000_001)))))
        except grpc.RpcError as error:
            sys.exit(f"{target}: {error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
