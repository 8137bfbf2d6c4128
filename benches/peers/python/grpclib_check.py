"""Checks a Calculator with grpclib, an implementation in Python alone.

    python grpclib_check.py TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]
"""

import asyncio
import ssl

import calc_pb2
import contract
from contract import PATIENCE, SHORT, equal, passed
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Cardinality
from grpclib.exceptions import GRPCError, StreamTerminatedError


def connect(arguments):
    host, _, port = arguments.target.rpartition(":")
    tls = None
    if arguments.ca:
        tls = ssl.create_default_context(cafile=arguments.ca)
        tls.set_alpn_protocols(["h2"])
        if arguments.cert:
            tls.load_cert_chain(arguments.cert, arguments.key)
    return Channel(host, int(port), ssl=tls)


async def call(channel, method, n1, n2):
    request, reply, *_ = contract.METHODS[method]
    return await UnaryUnaryMethod(channel, contract.PATH + method, request, reply)(
        request(n1=n1, n2=n2), timeout=PATIENCE
    )


async def add(channel, n1, n2):
    equal(f"{n1} + {n2}", (await call(channel, "Add", n1, n2)).n1, n1 + n2)


async def two_errors(channel):
    for operands, code, message, details in contract.TWO_ERRORS:
        try:
            await call(channel, *operands)
        except GRPCError as failed:
            equal("an error", (failed.status.name, failed.message), (code, message))
            equal("details", failed.details, details)
        else:
            raise SystemExit(f"{operands} succeeded")


async def concurrent_calls(channel):
    """At most 100 are in flight: past the server's limit grpclib wakes all that wait at the end of each."""
    permits = asyncio.Semaphore(100)

    async def limited(n):
        async with permits:
            await add(channel, n, 1)

    await asyncio.gather(*map(limited, range(contract.CALLS)))


def open_call(channel, timeout):
    """A call whose request never comes is in flight until it ends."""
    return channel.request(
        contract.PATH + "Add", Cardinality.UNARY_UNARY, calc_pb2.AddRequest, calc_pb2.AddReply, timeout=timeout
    )


async def deadline(channel):
    try:
        async with open_call(channel, SHORT) as stream:
            await stream.send_request()
            await stream.recv_message()
    except (asyncio.TimeoutError, GRPCError) as ended:
        # grpclib's own clock ends the call, or the server does.
        ended_by = ended.status.name if isinstance(ended, GRPCError) else "DEADLINE_EXCEEDED"
        equal("a deadline", ended_by, "DEADLINE_EXCEEDED")
    else:
        raise SystemExit("a call without a request succeeded")
    await add(channel, 1, 1)
    passed("deadline")


async def cancellation(channel):
    async with open_call(channel, PATIENCE) as stream:
        await stream.send_request()
        # The connection is in order: the server has its headers when it replies to this one.
        await add(channel, 1, 2)
        await stream.cancel()
    await add(channel, 1, 3)
    passed("cancellation")


async def main():
    arguments = contract.client_arguments()
    async with connect(arguments) as channel:
        if arguments.refused:
            try:
                await add(channel, 1, 1)
            except (OSError, StreamTerminatedError):
                # With TLS 1.3 a client learns after its handshake that its certificate was missing.
                return passed("refused")
            raise SystemExit("a call that must fail succeeded")
        for method, n1, n2, reply in contract.FOUR_CALLS:
            equal(method, await call(channel, method, n1, n2), reply)
        passed("calls")
        await two_errors(channel)
        passed("errors")
        await concurrent_calls(channel)
        passed("concurrency")
        await deadline(channel)
        await cancellation(channel)


if __name__ == "__main__":
    asyncio.run(main())
