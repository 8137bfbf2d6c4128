"""Calls the methods of tests/slow_server.rs.

python pollers.py TARGET slow              calls the slow method once
python pollers.py TARGET both              calls the quick one and then the slow one, and waits for the quick one's reply
python pollers.py TARGET quick N           calls the quick one on N connections at a time, three times each
python pollers.py TARGET quick N UNSENT    the same, beside UNSENT RPCs whose request never arrives
"""

import sys

from hyperframe.frame import DataFrame, HeadersFrame, SettingsFrame

from http2 import Http2

QUICK, SLOW = "/test.Pollers/Quick", "/test.Pollers/Slow"
# AddRequest { n1: 7 }, which AddReply { n1: 7 } equals.
MESSAGE = b"\0\0\0\0\x02\x08\x07"
PER_CONNECTION = 100


def send(connection, path):
    connection.send(DataFrame(connection.open(path), MESSAGE, flags=["END_STREAM"]))


def receive(connection):
    reply = b""
    for frame in connection.frames():
        if isinstance(frame, HeadersFrame):
            headers = dict(connection.decoder.decode(frame.data))
        elif isinstance(frame, DataFrame):
            reply += frame.data
        if frame.stream_id and "END_STREAM" in frame.flags:
            assert (headers["grpc-status"], reply) == ("0", MESSAGE), (headers, reply)
            return
    raise AssertionError("the connection was closed before the RPC had ended")


target, kind, *numbers = sys.argv[1:]
count, unsent = [*map(int, numbers), 0, 0][:2]
if kind == "slow":
    connection = Http2(target)
    send(connection, SLOW)
    receive(connection)
if kind == "both":
    connection = Http2(target)
    # The settings are read before, so that one read brings both calls.
    connection.wait_for(SettingsFrame)
    with connection.together():
        send(connection, QUICK)
        send(connection, SLOW)
    receive(connection)
idle = [Http2(target) for _ in range(0, unsent, PER_CONNECTION)]
for connection in idle:
    for _ in range(PER_CONNECTION):
        connection.open(QUICK)
connections = [Http2(target) for _ in range(count)]
for _ in range(3):
    for connection in connections:
        send(connection, QUICK)
    for connection in connections:
        receive(connection)
