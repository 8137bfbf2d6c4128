"""Clients that open many connections, and RPCs that they do not make.

python many_connections.py SCENARIO TARGET [PID], where TARGET serves the Calculator, in the process PID.
"""

import socket
import sys
import time

from checks import PATIENCE, equal
from hostile_frames import (
    ADD,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    RST_STREAM,
    SETTINGS,
    Raw,
    block,
    frame,
    message,
    peak_memory,
    reply,
)
from http2 import PREFACE

TWENTY_PLUS_TEN, THIRTY = message(b"\x08\x14\x10\x0a"), message(b"\x08\x1e")


def is_adding(target):
    equal("20 + 10", Raw(target).call(ADD, TWENTY_PLUS_TEN[5:])[1], THIRTY)


def churn(target, pid, resets, request):
    """Connections that reset all their streams and are closed, each after another."""
    host, port = target.rsplit(":", 1)
    streams = range(1, 2 * int(resets), 2)
    headers = block(path=ADD)
    sent = {
        "none": lambda stream: frame(HEADERS, END_HEADERS, stream, headers),
        "whole": lambda stream: frame(HEADERS, END_HEADERS, stream, headers)
        + frame(DATA, END_STREAM, stream, TWENTY_PLUS_TEN),
    }[request]
    hostile = PREFACE + frame(SETTINGS, 0, 0)
    hostile += b"".join(sent(stream) + frame(RST_STREAM, 0, stream, b"\0\0\0\x08") for stream in streams)
    before, other = peak_memory(pid), Raw(target)
    for number in range(500):
        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            connection.sendall(hostile)
        if number % 10 == 0:
            equal("20 + 10", other.call(ADD, TWENTY_PLUS_TEN[5:])[1], THIRTY)
    is_adding(target)
    grown = peak_memory(pid) - before
    assert grown < 50 * 2**20, f"the server took {grown / 2**20:.0f} MiB"


def without_requests(target, pid):
    """As many RPCs without their requests as 45 connections may open: more than the slots of two queues."""
    before, hostile = peak_memory(pid), [Raw(target) for _ in range(45)]
    for client in hostile:
        client.write(*(frame(HEADERS, END_HEADERS, stream, block(path=ADD)) for stream in range(1, 200, 2)))
        client.until_answered()
    is_adding(target)
    # They are answered when the requests come after all, in two parts.
    for client in hostile:
        client.write(frame(DATA, 0, 199, TWENTY_PLUS_TEN[:6]))
    for client in hostile:
        client.write(frame(DATA, END_STREAM, 199, TWENTY_PLUS_TEN[6:]))
        equal("a late request", reply(client, 199), THIRTY)
    grown = peak_memory(pid) - before
    assert grown < 80 * 2**20, f"4,500 RPCs took {grown / 2**20:.0f} MiB"


def is_accepted(target):
    """Opens a connection, which sends nothing, and returns it if the server sends its SETTINGS."""
    host, port = target.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), PATIENCE)
    try:
        return connection if connection.recv(1) else None
    except ConnectionResetError:
        return None


def limit(target, _pid):
    """The server allows three connections."""
    clients = [Raw(target) for _ in range(3)]
    for _ in range(10):
        assert not is_accepted(target), "a fourth connection is open"
    # Those that are open are as good as before.
    for client in clients:
        equal("20 + 10", client.call(ADD, TWENTY_PLUS_TEN[5:])[1], THIRTY)
    clients.pop().socket.close()
    give_up = time.monotonic() + PATIENCE
    while not (silent := is_accepted(target)):
        assert time.monotonic() < give_up, "the place of a closed connection stays taken"
    # A connection whose handshake has not ended takes a place too.
    assert not is_accepted(target), "a fourth connection is open"
    silent.close()


if __name__ == "__main__":
    scenario, *arguments = sys.argv[1:]
    globals()[scenario](*arguments)
