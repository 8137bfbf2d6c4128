"""Calls a server with every row of the contract as bytes, with Python's gRPC.

    python tests/python/contract.py TARGET
"""

import pathlib
import sys

import grpc

TABLE = pathlib.Path(__file__).parent.parent / "contract.tsv"
LIMIT = 4 * 1024 * 1024


def rows():
    for line in TABLE.read_text().splitlines():
        if not line.startswith("#"):
            method, request, outcome, what = line.split("\t")
            path = method if method.startswith("/") else f"/calc.Calculator/{method}"
            request, outcome = (text.replace("-", "") for text in (request, outcome))
            yield path, bytes.fromhex(request), outcome, what
    yield "/calc.Calculator/Add", request_of(LIMIT), "081e", "a request of 4 MiB"
    yield "/calc.Calculator/Add", request_of(LIMIT + 1), "RESOURCE_EXHAUSTED", "a byte more than 4 MiB"


def request_of(size):
    """Returns a request of 20 and 10, padded with an unknown field."""
    numbers = bytes([0x08, 20, 0x10, 10])
    rest = size - len(numbers) - 5
    length = bytes([rest & 0x7F | 0x80, rest >> 7 & 0x7F | 0x80, rest >> 14 & 0x7F | 0x80, rest >> 21])
    return numbers + b"\x7a" + length + bytes(rest)


def call(channel, path, request):
    """Returns the reply in hexadecimal, or the name of the status code."""
    try:
        return channel.unary_unary(path)(request, timeout=30).hex()
    except grpc.RpcError as error:
        return error.code().name


def main():
    count = 0
    with grpc.insecure_channel(sys.argv[1]) as channel:
        for path, request, outcome, what in rows():
            got = call(channel, path, request)
            if got != outcome:
                sys.exit(f"{what}: {path} of {request[:64].hex()}: expected {outcome!r}, got {got!r}")
            count += 1
    print(f"{count} rows hold")


if __name__ == "__main__":
    main()
