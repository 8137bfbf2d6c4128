"""Keeps a server busy while it is told to end: python drain.py SCENARIO TARGET..., which says `busy` when it is."""

import sys
import threading

import grpc
from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame, WindowUpdateFrame

from checks import PATIENCE
from http2 import Http2

ADD = "/calc.Calculator/Add"
# 20 + 10
REQUEST, REPLY = b"\x08\x14\x10\x0a", b"\x08\x1e"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
LIST_SERVICES = b"\x3a\x00"
FRAMED = b"\0\0\0\0\x02" + LIST_SERVICES

RETRY = """{
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{"name": [{}], "retryPolicy": {
    "maxAttempts": 5, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]}"""


def load(*targets):
    """Unary calls on 24 connections, which retry UNAVAILABLE on another server, until standard input ends."""
    stop, busy, failures = threading.Event(), threading.Semaphore(0), []

    def work():
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.service_config", RETRY)]
        with grpc.insecure_channel("ipv4:" + ",".join(targets), options) as channel:
            call, calls = channel.unary_unary(ADD), 0
            while not stop.is_set():
                try:
                    assert call(REQUEST, timeout=PATIENCE) == REPLY
                except grpc.RpcError as error:
                    failures.append(error)
                calls += 1
                if calls == 20:
                    busy.release()

    threads = [threading.Thread(target=work) for _ in range(24)]
    for thread in threads:
        thread.start()
    for _ in threads:
        busy.acquire()
    print("busy", flush=True)
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures, failures


def streams(target):
    """Streams with requests under way, which end by themselves 200 requests after the server was told to."""
    with grpc.insecure_channel(target) as channel:
        told, answered = threading.Event(), []

        def requests():
            yield LIST_SERVICES
            told.wait(PATIENCE)
            for _ in range(200):
                yield LIST_SERVICES

        calls = [channel.stream_stream(REFLECTION)(requests(), timeout=PATIENCE) for _ in range(8)]
        for call in calls:
            next(call)
        print("busy", flush=True)
        # The server has been told, and takes no new connection any more.
        sys.stdin.read()
        told.set()
        for call in calls:
            answered.append(len(list(call)))
        assert answered == [200] * 8, answered


def opened(target, **more):
    """A connection whose only stream has one reply, and the stream. The server is told to end now."""
    client = Http2(target, **more)
    stream = client.open(REFLECTION)
    client.send(DataFrame(stream, FRAMED))
    client.wait_for(DataFrame)
    print("busy", flush=True)
    return client, stream


MOST = 2**31 - 1
# More than a client with such a buffer takes at once, and less than what the server's system keeps for it.
SLOW = {"receive_buffer": 4096, "settings": {SettingsFrame.INITIAL_WINDOW_SIZE: MOST}}
MANY = 2000


def ask_for_much(client, stream):
    client.send(WindowUpdateFrame(0, MOST - 65535))
    client.send(DataFrame(stream, FRAMED * MANY, flags=["END_STREAM"]))


def read_slowly(client, stream):
    """All of the replies, with something to send after each part."""
    received = 0
    for frame in client.frames():
        if isinstance(frame, DataFrame):
            received += len(frame.data)
            client.send(WindowUpdateFrame(0, len(frame.data)))
        if isinstance(frame, HeadersFrame) and "END_STREAM" in frame.flags:
            break
    assert received >= MANY * (5 + len(LIST_SERVICES)), received
    sys.stdin.read()


def slow_reader(target):
    """A stream that gets most of its replies when its server takes no call any more."""
    client, stream = opened(target, **SLOW)
    # The first is a warning; with the second no further call is taken.
    client.wait_for(GoAwayFrame)
    client.wait_for(GoAwayFrame)
    ask_for_much(client, stream)
    read_slowly(client, stream)


def slow_reader_that_was_warned(target):
    """A stream that has ended, but for its client, when its server takes no call any more."""
    client, stream = opened(target, **SLOW)
    client.answers_pings = False
    client.wait_for(GoAwayFrame)
    ping = client.wait_for(PingFrame)
    ask_for_much(client, stream)
    client.send(PingFrame(0, ping.opaque_data, flags=["ACK"]))
    client.answers_pings = True
    read_slowly(client, stream)


def stays(target):
    """A client that has all its replies, and does not go."""
    client, stream = opened(target)
    client.wait_for(GoAwayFrame)
    client.wait_for(GoAwayFrame)
    client.send(DataFrame(stream, b"", flags=["END_STREAM"]))
    ends = [frame for frame in client.frames() if isinstance(frame, HeadersFrame) and "END_STREAM" in frame.flags]
    assert len(ends) == 1, ends
    sys.stdin.read()


def forever(target):
    """Three streams that never end, and one that the server cannot know to be there: a call without its request."""
    with grpc.insecure_channel(target) as channel:
        stay = threading.Event()

        def requests():
            yield LIST_SERVICES
            stay.wait(PATIENCE)

        calls = [channel.stream_stream(REFLECTION)(requests(), timeout=PATIENCE) for _ in range(3)]
        for call in calls:
            next(call)
        unary = channel.stream_unary(ADD).future(iter(stay.wait, None), timeout=PATIENCE)
        print("busy", flush=True)
        codes = {unary.code()}
        for call in calls:
            try:
                list(call)
            except grpc.RpcError as error:
                codes.add(error.code())
        stay.set()
        assert codes <= {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}, codes


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
