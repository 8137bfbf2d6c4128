"""Checks a Calculator with Python's grpcio: its asyncio API.

    python aio_check.py TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]
"""

import asyncio

import calc_pb2
import calc_pb2_grpc
import contract
import grpc
from contract import PATIENCE, SHORT, equal, passed
from google.rpc import status_pb2


def connect(arguments):
    if not arguments.ca:
        return grpc.aio.insecure_channel(arguments.target)
    pair = [path.read_bytes() if path else None for path in (arguments.key, arguments.cert)]
    return grpc.aio.secure_channel(arguments.target, grpc.ssl_channel_credentials(arguments.ca.read_bytes(), *pair))


async def add(stub, n1, n2):
    reply = await stub.Add(calc_pb2.AddRequest(n1=n1, n2=n2), timeout=PATIENCE)
    equal(f"{n1} + {n2}", reply.n1, n1 + n2)


def call(stub, method, n1, n2):
    return getattr(stub, method)(contract.METHODS[method][0](n1=n1, n2=n2), timeout=PATIENCE)


async def error(call):
    try:
        await call
    except grpc.aio.AioRpcError as failed:
        return failed
    raise SystemExit("a call that must fail succeeded")


async def two_errors(stub):
    for operands, code, message, details in contract.TWO_ERRORS:
        failed = await error(call(stub, *operands))
        equal("an error", (failed.code().name, failed.details()), (code, message))
        status = status_pb2.Status.FromString(dict(failed.trailing_metadata())["grpc-status-details-bin"])
        equal("its status", status.message, message)
        got = [type(known)() for known in details]
        equal("details", [any.Unpack(into) for any, into in zip(status.details, got, strict=True)], [True] * len(got))
        equal("details", got, details)


async def calls_without_request(channel, stub):
    """Calls whose request never comes are in flight until they end, here by their deadline and by the client."""
    method = channel.stream_unary(contract.PATH + "Add", calc_pb2.AddRequest.SerializeToString)
    late = await error(method(timeout=SHORT))
    equal("a deadline", late.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
    await add(stub, 1, 1)
    passed("deadline")
    cancelled = method(timeout=PATIENCE)
    # The connection is in order: the server has its headers when it replies to this one.
    await add(stub, 1, 2)
    cancelled.cancel()
    equal("a cancelled call", await cancelled.code(), grpc.StatusCode.CANCELLED)
    await add(stub, 1, 3)
    passed("cancellation")


async def main():
    arguments = contract.client_arguments()
    async with connect(arguments) as channel:
        stub = calc_pb2_grpc.CalculatorStub(channel)
        if arguments.refused:
            equal("a call", (await error(add(stub, 1, 1))).code(), grpc.StatusCode.UNAVAILABLE)
            return passed("refused")
        for method, n1, n2, reply in contract.FOUR_CALLS:
            equal(method, await call(stub, method, n1, n2), reply)
        passed("calls")
        await two_errors(stub)
        passed("errors")
        await asyncio.gather(*(add(stub, n, 1) for n in range(contract.CALLS)))
        passed("concurrency")
        await calls_without_request(channel, stub)


if __name__ == "__main__":
    asyncio.run(main())
