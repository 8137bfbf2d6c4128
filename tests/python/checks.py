"""What every script that checks something needs."""

import sys

import grpc

# The bound on everything that is waited for, in seconds.
PATIENCE = 20


def equal(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: expected {expected!r}, got {got!r}")


def code_of(call):
    """The name of the status that a call ends with."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"
