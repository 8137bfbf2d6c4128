"""Checks a Calculator with Python's grpcio: its synchronous API.

    python check.py TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]
"""

import threading

import calc_pb2
import calc_pb2_grpc
import contract
import grpc
from contract import PATIENCE, SHORT, equal, passed
from grpc_status import rpc_status


def connect(arguments):
    if not arguments.ca:
        return grpc.insecure_channel(arguments.target)
    pair = [path.read_bytes() if path else None for path in (arguments.key, arguments.cert)]
    return grpc.secure_channel(arguments.target, grpc.ssl_channel_credentials(arguments.ca.read_bytes(), *pair))


def add(stub, n1, n2):
    equal("a sum", stub.Add(calc_pb2.AddRequest(n1=n1, n2=n2), timeout=PATIENCE).n1, n1 + n2)


def call(stub, method, n1, n2):
    return getattr(stub, method)(contract.METHODS[method][0](n1=n1, n2=n2), timeout=PATIENCE)


def error(make):
    try:
        make()
    except grpc.RpcError as failed:
        return failed
    raise SystemExit("a call that must fail succeeded")


def concurrent_calls(stub):
    calls = [stub.Add.future(calc_pb2.AddRequest(n1=n, n2=1), timeout=PATIENCE) for n in range(contract.CALLS)]
    for n, reply in enumerate(calls):
        equal(f"{n} + 1", reply.result().n1, n + 1)


def calls_without_request(channel, stub):
    """Calls whose request never comes are in flight until they end, here by their deadline and by the client."""
    done = threading.Event()
    method = channel.stream_unary(contract.PATH + "Add", calc_pb2.AddRequest.SerializeToString)

    def never():
        done.wait()
        yield from ()

    equal("a deadline", error(lambda: method(never(), timeout=SHORT)).code(), grpc.StatusCode.DEADLINE_EXCEEDED)
    add(stub, 1, 1)
    passed("deadline")
    cancelled = method.future(never(), timeout=PATIENCE)
    # The connection is in order: the server has its headers when it replies to this one.
    add(stub, 1, 2)
    cancelled.cancel()
    equal("a cancelled call", cancelled.code(), grpc.StatusCode.CANCELLED)
    add(stub, 1, 3)
    passed("cancellation")
    done.set()


def main():
    arguments = contract.client_arguments()
    with connect(arguments) as channel:
        stub = calc_pb2_grpc.CalculatorStub(channel)
        if arguments.refused:
            equal("a call", error(lambda: add(stub, 1, 1)).code(), grpc.StatusCode.UNAVAILABLE)
            return passed("refused")
        for method, n1, n2, reply in contract.FOUR_CALLS:
            equal(method, call(stub, method, n1, n2), reply)
        passed("calls")
        for operands, code, message, details in contract.TWO_ERRORS:
            failed = error(lambda: call(stub, *operands))
            equal("an error", (failed.code().name, failed.details()), (code, message))
            got = [type(known)() for known in details]
            packed = rpc_status.from_call(failed).details
            equal("details", [detail.Unpack(into) for detail, into in zip(packed, got, strict=True)], [True] * len(got))
            equal("details", got, details)
        passed("errors")
        concurrent_calls(stub)
        passed("concurrency")
        calls_without_request(channel, stub)


if __name__ == "__main__":
    main()
