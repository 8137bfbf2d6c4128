"""The Calculator server in Python.

Run it from the project's root, with requirements.txt installed. The first command generates the stubs:

    python -m grpc_tools.protoc -I./protos --python_out=. --grpc_python_out=. ./protos/calc.proto
    PYTHONPATH=. python examples/python/server.py [ADDRESS] [--cert FILE --key FILE [--client-ca FILE]]

ADDRESS is [::]:50050 unless given; port 0 picks a free port. With a certificate it uses TLS, with
a CA of client certificates mutual TLS. The server stops on Ctrl-C and on SIGTERM.
"""

import argparse
import pathlib
import signal
import sys
import threading
from concurrent import futures

import calc_pb2
import calc_pb2_grpc
import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

# How long in-flight RPCs have to finish after a signal.
GRACE_SECONDS = 5


class Calculator(calc_pb2_grpc.CalculatorServicer):
    """The four operations. Names are spelled as in calc.proto."""

    def Add(self, request, context):
        result = request.n1 + request.n2
        return calc_pb2.AddReply(n1=int32(context, "Add", "+", request, result))

    def Substract(self, request, context):
        result = request.n1 - request.n2
        return calc_pb2.SubstractReply(n1=int32(context, "Substract", "-", request, result))

    def Multiply(self, request, context):
        result = request.n1 * request.n2
        return calc_pb2.MeuliplyReply(n1=int32(context, "Multiply", "*", request, result))

    def Divide(self, request, context):
        if request.n2 == 0:
            fail(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "division by zero",
                error_details_pb2.BadRequest(
                    field_violations=[
                        error_details_pb2.BadRequest.FieldViolation(
                            field="n2", description="must not be zero"
                        )
                    ]
                ),
                error_details_pb2.ErrorInfo(reason="DIVISION_BY_ZERO", domain="calc"),
            )
        return calc_pb2.DivideReply(f1=request.n1 / request.n2)


def int32(context, operation, operator, request, result):
    """Returns `result`, or ends the RPC with OUT_OF_RANGE if it does not fit an int32."""
    if INT32_MIN <= result <= INT32_MAX:
        return result
    n1, n2 = request.n1, request.n2
    metadata = {"operation": operation, "n1": str(n1), "n2": str(n2), "result": str(result)}
    fail(
        context,
        grpc.StatusCode.OUT_OF_RANGE,
        f"{n1} {operator} {n2} = {result} does not fit an int32 ({INT32_MIN} to {INT32_MAX})",
        error_details_pb2.ErrorInfo(reason="INT32_OVERFLOW", domain="calc", metadata=metadata),
    )


def fail(context, code, message, *details):
    """Ends the RPC with a status and details: a google.rpc.Status in the trailers.

    It does not return: `context` raises.
    """
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)
    context.abort_with_status(rpc_status.to_status(status))


def add_port(server, arguments):
    """Adds the address, with TLS if there is a certificate. Returns the port."""
    if not arguments.cert:
        return server.add_insecure_port(arguments.address)
    pair = arguments.key.read_bytes(), arguments.cert.read_bytes()
    ca = arguments.client_ca.read_bytes() if arguments.client_ca else None
    credentials = grpc.ssl_server_credentials([pair], ca, require_client_auth=ca is not None)
    return server.add_secure_port(arguments.address, credentials)


def main():
    parser = argparse.ArgumentParser(description="Serves the Calculator.")
    parser.add_argument("address", nargs="?", default="[::]:50050")
    parser.add_argument("--cert", type=pathlib.Path, help="use TLS with this certificate (PEM)")
    parser.add_argument("--key", type=pathlib.Path, help="its private key (PEM)")
    parser.add_argument("--client-ca", type=pathlib.Path, help="require client certificates of this CA")
    arguments = parser.parse_args()
    address = arguments.address
    if bool(arguments.cert) != bool(arguments.key) or (arguments.client_ca and not arguments.cert):
        parser.error("--cert and --key belong together, and --client-ca needs them")

    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=10),
        options=[
            # Without SO_REUSEPORT a second server on the port is an error.
            ("grpc.so_reuseport", 0),
            # Clients queue RPCs past this limit; without it, thousands at once end with CANCELLED.
            ("grpc.max_concurrent_streams", 100),
            # With it, RPCs within that limit were reset with REFUSED_STREAM.
            ("grpc.http.overload_protection", 0),
        ],
    )
    calc_pb2_grpc.add_CalculatorServicer_to_server(Calculator(), server)
    try:
        port = add_port(server, arguments)
    except RuntimeError:
        sys.exit(f"cannot listen on {address}: is another server using the port?")

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    server.start()
    host = address.rpartition(":")[0]
    print(f"listening on {host}:{port}", file=sys.stderr, flush=True)
    print("Server Start..", flush=True)

    stop.wait()
    server.stop(GRACE_SECONDS).wait()


if __name__ == "__main__":
    main()
