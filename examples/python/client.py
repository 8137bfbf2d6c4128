"""The Calculator client in Python.

Run it from the project's root, with requirements.txt installed. The first command generates the stubs:

    python -m grpc_tools.protoc -I./protos --python_out=. --grpc_python_out=. ./protos/calc.proto
    PYTHONPATH=. python examples/python/client.py [TARGET]

TARGET is localhost:50050 unless given. It prints one result a line: 30, 10, 200, 5.0. With
--errors it also makes two RPCs that must fail, and prints their statuses and details to
standard error.
"""

import argparse
import sys

import calc_pb2
import calc_pb2_grpc
import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# An RPC without a deadline may wait for ever.
DEADLINE_SECONDS = 10


def four_operations(calculator):
    """Calls each method, and prints the result field of its reply."""
    add = calc_pb2.AddRequest(n1=20, n2=10)
    print(calculator.Add(add, timeout=DEADLINE_SECONDS).n1)

    substract = calc_pb2.SubstractRequest(n1=20, n2=10)
    print(calculator.Substract(substract, timeout=DEADLINE_SECONDS).n1)

    multiply = calc_pb2.MultiplyRequest(n1=20, n2=10)
    print(calculator.Multiply(multiply, timeout=DEADLINE_SECONDS).n1)

    divide = calc_pb2.DivideRequest(n1=10, n2=2)
    print(calculator.Divide(divide, timeout=DEADLINE_SECONDS).f1)


def two_errors(calculator):
    """Makes an overflow and a division by zero."""
    for call, request in (
        (calculator.Add, calc_pb2.AddRequest(n1=2**31 - 1, n2=1)),
        (calculator.Divide, calc_pb2.DivideRequest(n1=1, n2=0)),
    ):
        try:
            call(request, timeout=DEADLINE_SECONDS)
        except grpc.RpcError as error:
            explain(error)


def explain(error):
    """Prints the code, message and details of a failed RPC."""
    print(f"{error.code().name}: {error.details()}", file=sys.stderr)
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            print(f"  reason {info.reason} {dict(sorted(info.metadata.items()))}", file=sys.stderr)
        bad_request = error_details_pb2.BadRequest()
        if detail.Unpack(bad_request):
            for violation in bad_request.field_violations:
                print(f"  {violation.field} {violation.description}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description="Calls each method of a Calculator server.")
    parser.add_argument("target", nargs="?", default="localhost:50050")
    parser.add_argument("--errors", action="store_true", help="also print the details of two errors")
    arguments = parser.parse_args()

    with grpc.insecure_channel(arguments.target) as channel:
        calculator = calc_pb2_grpc.CalculatorStub(channel)
        try:
            four_operations(calculator)
        except grpc.RpcError as error:
            sys.exit(f"{arguments.target}: {error.code().name}: {error.details()}")
        if arguments.errors:
            two_errors(calculator)


if __name__ == "__main__":
    main()
