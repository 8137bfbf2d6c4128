"""Makes a few calls with Python's gRPC, and compares replies byte by byte, and statuses.

    python benches/compare/replies.py TARGET

A program of its own, because no other part of the benchmark needs grpcio.
"""

import sys

import grpc

OVERFLOW = "2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)"

# Method, request in hexadecimal, and the reply in hexadecimal or the status.
CALLS = [
    ("Add", "0814100a", "081e"),
    ("Add", "0880808080f8ffffffff0110ffffffff07", "08ffffffffffffffffff01"),
    ("Substract", "0814100a", "080a"),
    ("Multiply", "0814100a", "08c801"),
    ("Divide", "080a1004", "0d00002040"),
    ("Add", "08ffffffff071001", ("OUT_OF_RANGE", OVERFLOW)),
    ("Divide", "0801", ("INVALID_ARGUMENT", "division by zero")),
]


def answer(channel, method, request):
    try:
        return channel.unary_unary(f"/calc.Calculator/{method}")(bytes.fromhex(request), timeout=20).hex()
    except grpc.RpcError as error:
        return error.code().name, error.details()


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        for method, request, expected in CALLS:
            got = answer(channel, method, request)
            if got != expected:
                sys.exit(f"{method} of {request}: expected {expected}, got {got}")


if __name__ == "__main__":
    main()
