"""The Calculator on grpclib, an implementation in Python alone.

    python grpclib_server.py HOST:PORT [--cert FILE --key FILE [--client-ca FILE]]
"""

import asyncio
import socket
import ssl

import contract
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server


def handler(method):
    async def handle(stream):
        request = await stream.recv_message()
        try:
            await stream.send_message(contract.calculate(method, request))
        except contract.Rejected as error:
            raise GRPCError(Status[error.code], error.message, list(error.details)) from None

    request, reply, *_ = contract.METHODS[method]
    return Handler(handle, Cardinality.UNARY_UNARY, request, reply)


class Calculator:
    def __mapping__(self):
        return {contract.PATH + method: handler(method) for method in contract.METHODS}


def tls(arguments):
    if not arguments.cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=arguments.client_ca)
    context.load_cert_chain(arguments.cert, arguments.key)
    context.set_alpn_protocols(["h2"])
    if arguments.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def main():
    arguments = contract.server_arguments()
    host, _, port = arguments.address.rpartition(":")
    listener = socket.create_server((host, int(port)))
    server = Server([Calculator()])
    await server.start(sock=listener, ssl=tls(arguments))
    print(f"listening on {host}:{listener.getsockname()[1]}", flush=True)
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
