"""The Calculator on Python's grpcio: its asyncio API.

    python aio_server.py HOST:PORT [--cert FILE --key FILE [--client-ca FILE]]
"""

import asyncio

import calc_pb2_grpc
import contract
import grpc


def handler(method):
    async def handle(request, context):
        try:
            return contract.calculate(method, request)
        except contract.Rejected as error:
            details = (("grpc-status-details-bin", error.status()),)
            await context.abort(grpc.StatusCode[error.code], error.message, details)

    return staticmethod(handle)


class Calculator(calc_pb2_grpc.CalculatorServicer):
    Add, Substract, Multiply, Divide = map(handler, contract.METHODS)


async def main():
    arguments = contract.server_arguments()
    # As in examples/python/server.py: clients queue calls past the limit of streams.
    limits = [("grpc.max_concurrent_streams", 100), ("grpc.http.overload_protection", 0)]
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), *limits])
    calc_pb2_grpc.add_CalculatorServicer_to_server(Calculator(), server)
    if arguments.cert:
        pair = arguments.key.read_bytes(), arguments.cert.read_bytes()
        ca = arguments.client_ca and arguments.client_ca.read_bytes()
        credentials = grpc.ssl_server_credentials([pair], ca, require_client_auth=bool(ca))
        port = server.add_secure_port(arguments.address, credentials)
    else:
        port = server.add_insecure_port(arguments.address)
    await server.start()
    print(f"listening on {arguments.address.rpartition(':')[0]}:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
