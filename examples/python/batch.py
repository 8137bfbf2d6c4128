"""Many calculations over one call, in Python.

Run it from the project's root, once requirements.txt is installed, with a server of this project:

    python -m grpc_tools.protoc -I./protos --python_out=. --grpc_python_out=. ./protos/calc_batch.proto
    PYTHONPATH=. python examples/python/batch.py [TARGET]

TARGET is localhost:50050 unless given. It divides three pairs, of which one fails, and then a million.
"""

import itertools
import sys

import calc_batch_pb2
import calc_batch_pb2_grpc
import grpc

# The most elements that a message may have are 65536.
ELEMENTS = 8192

# A call without a deadline may wait for ever.
DEADLINE_SECONDS = 60


def requests(operation, pairs):
    """Messages of so many pairs. gRPC takes them as fast as the server does, and no faster."""
    pairs = iter(pairs)
    while chunk := list(itertools.islice(pairs, ELEMENTS)):
        n1, n2 = zip(*chunk)
        yield calc_batch_pb2.BatchRequest(operation=operation, n1=n1, n2=n2)


def divide(stub, pairs):
    """The quotient of each pair in their order, or None where there is none."""
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
