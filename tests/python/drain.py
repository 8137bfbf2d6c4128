"""Keeps RPCs in flight while a server drains: python drain.py SCENARIO TARGET...

Prints `busy` once they are in flight; the test then stops the server."""

import sys
import threading
import time

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
    """Unary RPCs on 24 connections, which retry UNAVAILABLE on another server, until standard input ends."""
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
    """Streams in flight, which the client ends 200 requests after the server began to drain."""
    with grpc.insecure_channel(target) as channel:
        draining, counts = threading.Event(), []

        def requests():
            yield LIST_SERVICES
            draining.wait(PATIENCE)
            for _ in range(200):
                yield LIST_SERVICES

        calls = [channel.stream_stream(REFLECTION)(requests(), timeout=PATIENCE) for _ in range(8)]
        for call in calls:
            next(call)
        print("busy", flush=True)
        # The server drains and takes no new connection.
        sys.stdin.read()
        draining.set()
        for call in calls:
            counts.append(len(list(call)))
        assert counts == [200] * 8, counts


def opened(target, **more):
    """A connection whose only stream has one reply, and the stream. The server is stopped now."""
    client = Http2(target, **more)
    stream = client.open(REFLECTION)
    client.send(DataFrame(stream, FRAMED))
    client.wait_for(DataFrame)
    print("busy", flush=True)
    return client, stream


MAX_WINDOW = 2**31 - 1
# The replies do not fit the client's receive buffer, but they fit the server's send buffer.
SLOW = {"receive_buffer": 4096, "settings": {SettingsFrame.INITIAL_WINDOW_SIZE: MAX_WINDOW}}
MANY = 2000


def send_requests(client, stream):
    client.send(WindowUpdateFrame(0, MAX_WINDOW - 65535))
    client.send(DataFrame(stream, FRAMED * MANY, flags=["END_STREAM"]))


def read_slowly(client, stream):
    """Reads all replies, and sends a window update after each part."""
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
    """A stream that receives most of its replies after the server has stopped to take RPCs."""
    client, stream = opened(target, **SLOW)
    # The first GOAWAY announces the end; after the second no stream is accepted.
    client.wait_for(GoAwayFrame)
    client.wait_for(GoAwayFrame)
    send_requests(client, stream)
    read_slowly(client, stream)


def slow_reader_after_one_goaway(target):
    """A stream that has ended on the server, but not yet on the client, when the server stops to take RPCs."""
    client, stream = opened(target, **SLOW)
    client.acknowledges_pings = False
    client.wait_for(GoAwayFrame)
    ping = client.wait_for(PingFrame)
    send_requests(client, stream)
    client.send(PingFrame(0, ping.opaque_data, flags=["ACK"]))
    client.acknowledges_pings = True
    read_slowly(client, stream)


def slowest_reader(target):
    """A client that would need a minute more for its replies, although its stream has ended on the server."""
    # With a smaller buffer the system itself would close the connection, 20 s after it first was full.
    client, stream = opened(target, **SLOW | {"receive_buffer": 65536})
    client.wait_for(GoAwayFrame)
    client.wait_for(GoAwayFrame)
    client.send(DataFrame(stream, FRAMED * MANY))
    client.send(DataFrame(stream, FRAMED * MANY))
    send_requests(client, stream)
    # 16 KB/s
    while client.socket.recv(16384):
        time.sleep(1)


def idle_connection(target):
    """A client that has all its replies and keeps its connection."""
    client, stream = opened(target)
    client.wait_for(GoAwayFrame)
    client.wait_for(GoAwayFrame)
    client.send(DataFrame(stream, b"", flags=["END_STREAM"]))
    ends = [frame for frame in client.frames() if isinstance(frame, HeadersFrame) and "END_STREAM" in frame.flags]
    assert len(ends) == 1, ends
    sys.stdin.read()


def endless(target):
    """Three streams that never end, and a unary RPC without its request, which no method has seen."""
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
