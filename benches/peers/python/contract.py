"""What the checks of Python's three libraries expect of a Calculator, and what its two asynchronous servers answer."""

import argparse
import pathlib

import calc_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
# Concurrent calls, each with operands of its own.
CALLS = 10_000
# The deadline of calls that must succeed, and of one that must not.
PATIENCE, SHORT = 60, 0.2

PATH = "/calc.Calculator/"
# Each method with its messages, its operator and its result.
METHODS = {
    "Add": (calc_pb2.AddRequest, calc_pb2.AddReply, "+", lambda n1, n2: n1 + n2),
    "Substract": (calc_pb2.SubstractRequest, calc_pb2.SubstractReply, "-", lambda n1, n2: n1 - n2),
    "Multiply": (calc_pb2.MultiplyRequest, calc_pb2.MeuliplyReply, "*", lambda n1, n2: n1 * n2),
    "Divide": (calc_pb2.DivideRequest, calc_pb2.DivideReply, "/", lambda n1, n2: n1 / n2),
}
# Four calls: method, operands, reply.
FOUR_CALLS = [
    ("Add", 20, 10, calc_pb2.AddReply(n1=30)),
    ("Substract", 20, 10, calc_pb2.SubstractReply(n1=10)),
    ("Multiply", 20, 10, calc_pb2.MeuliplyReply(n1=200)),
    ("Divide", 10, 2, calc_pb2.DivideReply(f1=5)),
]

OVERFLOW = error_details_pb2.ErrorInfo(
    reason="INT32_OVERFLOW",
    domain="calc",
    metadata={"operation": "Add", "n1": "2147483647", "n2": "1", "result": "2147483648"},
)
N2_IS_ZERO = error_details_pb2.BadRequest(
    field_violations=[error_details_pb2.BadRequest.FieldViolation(field="n2", description="must not be zero")]
)
DIVISION_BY_ZERO = error_details_pb2.ErrorInfo(reason="DIVISION_BY_ZERO", domain="calc")
# Two calls that fail: method, operands, code, message, details.
TWO_ERRORS = [
    (
        ("Add", INT32_MAX, 1),
        "OUT_OF_RANGE",
        "2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)",
        [OVERFLOW],
    ),
    (("Divide", 1, 0), "INVALID_ARGUMENT", "division by zero", [N2_IS_ZERO, DIVISION_BY_ZERO]),
]


def equal(what, got, expected):
    if got != expected:
        raise SystemExit(f"{what}: expected {expected!r}, got {got!r}")


def passed(check):
    print(check, flush=True)


def client_arguments():
    parser = argparse.ArgumentParser(description="Checks a Calculator server; prints a line for each check.")
    parser.add_argument("target")
    parser.add_argument("--ca", type=pathlib.Path, help="use TLS, and trust this CA")
    parser.add_argument("--cert", type=pathlib.Path, help="the client's certificate")
    parser.add_argument("--key", type=pathlib.Path, help="its private key")
    parser.add_argument("--refused", action="store_true", help="check only that no connection is accepted")
    return parser.parse_args()


def server_arguments():
    parser = argparse.ArgumentParser(description="Serves the Calculator.")
    parser.add_argument("address")
    parser.add_argument("--cert", type=pathlib.Path, help="use TLS with this certificate")
    parser.add_argument("--key", type=pathlib.Path, help="its private key")
    parser.add_argument("--client-ca", type=pathlib.Path, help="require client certificates of this CA")
    return parser.parse_args()


class Rejected(Exception):
    """A calculation without a result: the status, with its details."""

    def __init__(self, code, message, *details):
        super().__init__(message)
        self.code, self.message, self.details = code, message, details

    def status(self):
        """The google.rpc.Status of the metadata `grpc-status-details-bin`, serialized."""
        status = status_pb2.Status(code=code_pb2.Code.Value(self.code), message=self.message)
        for detail in self.details:
            status.details.add().Pack(detail)
        return status.SerializeToString()


def calculate(method, request):
    """The reply of a method. Raises Rejected."""
    _, reply, operator, compute = METHODS[method]
    n1, n2 = request.n1, request.n2
    if method == "Divide":
        if n2 == 0:
            raise Rejected("INVALID_ARGUMENT", "division by zero", N2_IS_ZERO, DIVISION_BY_ZERO)
        return reply(f1=compute(n1, n2))
    result = compute(n1, n2)
    if INT32_MIN <= result <= INT32_MAX:
        return reply(n1=result)
    metadata = {"operation": method, "n1": str(n1), "n2": str(n2), "result": str(result)}
    info = error_details_pb2.ErrorInfo(reason="INT32_OVERFLOW", domain="calc", metadata=metadata)
    message = f"{n1} {operator} {n2} = {result} does not fit an int32 ({INT32_MIN} to {INT32_MAX})"
    raise Rejected("OUT_OF_RANGE", message, info)
