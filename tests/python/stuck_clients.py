"""Clients that do not read what they are sent.

python stuck_clients.py SCENARIO TARGET, where TARGET serves the tests' Kinds service.

Prints `ready` when the test may shut the server down.
"""

import gzip
import select
import socket
import sys
import time

from hyperframe.frame import DataFrame, SettingsFrame, WindowUpdateFrame

from http2 import Http2
from limits import UNARY, shape

MAX_WINDOW = 2**31 - 1


def large_reply(size):
    """A small request for a large reply, with the five bytes before it."""
    request = gzip.compress(shape(size))
    return b"\1" + len(request).to_bytes(4, "big") + request


def connect(target, receive_buffer):
    """A client to which the server may send as much as it likes."""
    client = Http2(target, receive_buffer, {SettingsFrame.INITIAL_WINDOW_SIZE: MAX_WINDOW})
    client.send(WindowUpdateFrame(0, MAX_WINDOW - 65535))
    return client


def asking(target):
    """A client that has asked for more than the system's buffers hold, so that the write does not end; it reads nothing."""
    request = large_reply(3_000_000)
    client = connect(target, 16384)
    with client.together():
        for _ in range(5):
            client.send(DataFrame(client.open(UNARY, grpc_encoding="gzip"), request, flags=["END_STREAM"]))
    return client


def wait_for_reset(client):
    """Waits until the server resets the connection."""
    # Without an event to ask for: only the end of the connection is reported.
    poll = select.poll()
    poll.register(client.socket, 0)
    # The system itself gives up after the keepalive timeout of 20 s, if nothing at all is read.
    assert poll.poll(15_000), "the connection is still open"


def reads_nothing(target):
    client = asking(target)
    # A reply has begun to arrive: the settings, which the server sends before, are shorter.
    while len(client.socket.recv(1024, socket.MSG_PEEK)) < 1024:
        time.sleep(0.001)
    print("ready", flush=True)
    wait_for_reset(client)


def grows_old(target):
    """The maximum age is a second, and its grace as long."""
    wait_for_reset(asking(target))


if __name__ == "__main__":
    scenario, target = sys.argv[1:]
    globals()[scenario](target)
