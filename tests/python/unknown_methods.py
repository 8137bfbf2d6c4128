"""Calls a method that a server may not have: python unknown_methods.py TARGET KIND PATH prints the code and the message.

KIND is that of the client's stub, such as stream_unary. Only headers are needed for the answer: the client of a stream
sends one request and waits.
"""

import sys
import threading

import grpc

from checks import PATIENCE

target, kind, path = sys.argv[1:]
over = threading.Event()


def requests():
    yield b""
    over.wait(PATIENCE)


with grpc.insecure_channel(target) as channel:
    call = getattr(channel, kind)(path)
    try:
        answer = call(requests() if kind.startswith("stream") else b"", timeout=PATIENCE)
        if kind.endswith("stream"):
            list(answer)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
    finally:
        over.set()
