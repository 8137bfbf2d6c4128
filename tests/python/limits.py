"""Exceeds one limit of a server, and verifies that it serves others.

python limits.py SCENARIO TARGET, where TARGET serves the tests' Kinds service with that limit set low.
"""

import socket
import sys
import time

import grpc
from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from checks import PATIENCE, code_of
from http2 import Http2

UNARY = "/test.Kinds/Unary"
BIDI = "/test.Kinds/BidiStreaming"
CLIENT = "/test.Kinds/ClientStreaming"


def unary(channel, request=b"", path=UNARY, **options):
    return channel.unary_unary(path)(request, timeout=PATIENCE, wait_for_ready=True, **options)


class Requests:
    """Requests of an open stream: those given, then none until it is closed."""

    def __init__(self, *requests):
        self.requests, self.open = list(requests), True

    def __iter__(self):
        return self

    def __next__(self):
        if self.requests:
            return self.requests.pop(0)
        while self.open:
            time.sleep(0.01)
        raise StopIteration


def stream(channel, *requests, **options):
    """Starts a bidirectional RPC and waits for the replies to `requests`, one each."""
    requests = Requests(*requests)
    count = len(requests.requests)
    call = channel.stream_stream(BIDI)(requests, **{"timeout": PATIENCE, "wait_for_ready": True, **options})
    for _ in range(count):
        next(call)
    return requests, call


def field(number, length):
    """An unknown field of `length` zeros."""
    tag, varint = number << 3 | 2, []
    while length > 127:
        varint.append(length & 127 | 128)
        length >>= 7
    return bytes([tag, *varint, length])


def shape(length):
    """A Shape drawn by a hand of `length` bytes."""
    return field(4, length) + b"x" * length


def is_serving(target):
    """Asserts that another connection gets a reply."""
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        assert unary(channel) == b""


def request_bytes(target):
    with grpc.insecure_channel(target) as channel:
        assert unary(channel, shape(90_000))
        assert code_of(lambda: unary(channel, shape(110_000))) == "RESOURCE_EXHAUSTED"
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            assert len(unary(channel, shape(90_000), compression=compression)) == len(shape(90_000))
            code = code_of(lambda: unary(channel, shape(50_000_000), compression=compression))
            assert code == "RESOURCE_EXHAUSTED", code
        # A stream has the same limit.
        large = field(9, 200_000) + bytes(200_000)
        call = channel.stream_stream(BIDI, )(iter([large]), timeout=PATIENCE, compression=grpc.Compression.Gzip)
        assert code_of(lambda: list(call)) == "RESOURCE_EXHAUSTED"


def reply_bytes(target):
    with grpc.insecure_channel(target) as channel:
        assert unary(channel, shape(900))
        assert code_of(lambda: unary(channel, shape(1_100))) == "RESOURCE_EXHAUSTED"
        assert unary(channel, shape(900))


def metadata_bytes(target):
    with grpc.insecure_channel(target) as channel:
        assert unary(channel, metadata=[("key", "x" * 3_000)]) == b""
        code = code_of(lambda: unary(channel, metadata=[("key", "x" * 5_000)]))
        assert code == "RESOURCE_EXHAUSTED", code
        assert unary(channel) == b""


def concurrent_streams(target):
    """The limit is 2."""
    with grpc.insecure_channel(target) as channel:
        first, call = stream(channel, b"")
        second, _ = stream(channel, b"")
        third = Requests(b"")
        waiting = channel.stream_stream(BIDI)(third, timeout=PATIENCE)
        late = code_of(lambda: channel.unary_unary(UNARY)(b"", timeout=0.2))
        assert late == "DEADLINE_EXCEEDED", late
        first.open = False
        assert list(call) == []
        # The third is sent now.
        assert next(waiting) == b"\x12\x010"
        second.open = third.open = False
    hostile = Http2(target)
    hostile.wait_for(SettingsFrame)
    for _ in range(3):
        hostile.open(BIDI)
    hostile.wait_for_end()


def streaming_calls(target):
    """The limit is 2."""
    own = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(target, own) as one, grpc.insecure_channel(target, own) as other:
        first, call = stream(one, b"")
        second, _ = stream(other, b"")
        for channel in (one, other):
            rejected = channel.stream_stream(BIDI)(iter([b""]), timeout=PATIENCE)
            assert code_of(lambda: list(rejected)) == "RESOURCE_EXHAUSTED"
            assert "2 streaming calls" in rejected.details()
            assert unary(channel) == b""
        first.open = False
        assert list(call) == []
        third, _ = stream(other, b"")
        second.open = third.open = False


def deadline(target):
    """The limit is half a second."""
    with grpc.insecure_channel(target) as channel:
        for timeout in (None, PATIENCE):
            for method in (channel.stream_stream(BIDI), channel.stream_unary(CLIENT)):
                requests = Requests(b"")
                if isinstance(method, grpc.StreamStreamMultiCallable):
                    call = method(requests, timeout=timeout, wait_for_ready=True)
                    code = code_of(lambda: list(call))
                    details = call.details()
                else:
                    future = method.future(requests, timeout=timeout, wait_for_ready=True)
                    code, details = future.code().name, future.details()
                requests.open = False
                assert code == "DEADLINE_EXCEEDED", code
                assert "after 0.5 s (max_deadline)" in details, details


def connection_age(target):
    """The maximum age is half a second, its grace unlimited."""
    client = Http2(target)
    stream = client.open(BIDI)
    closing = client.wait_for(GoAwayFrame)
    # The first GOAWAY announces the end; the second has the last stream that was accepted.
    assert (closing.error_code, closing.last_stream_id) == (0, 2**31 - 1), closing
    closing = client.wait_for(GoAwayFrame)
    assert (closing.error_code, closing.last_stream_id) == (0, 1), closing
    # Its RPC goes on.
    client.send(DataFrame(stream, b"\0\0\0\0\0", flags=["END_STREAM"]))
    client.wait_for(DataFrame)
    client.socket.close()
    # A gRPC client reconnects without an error.
    with grpc.insecure_channel(target) as channel:
        end, calls = time.monotonic() + 3, 0
        while time.monotonic() < end or calls < 10:
            assert unary(channel) == b""
            calls += 1


def connection_age_grace(target):
    """The maximum age is half a second, and its grace as long."""
    client = Http2(target)
    client.open(BIDI)
    client.wait_for(GoAwayFrame)
    client.wait_for_end()


def connection_idle(target):
    """The limit is half a second."""
    client = Http2(target)
    closing = client.wait_for(GoAwayFrame)
    assert closing.additional_data == b"enter idle", closing
    client.wait_for_end()


def handshake(target):
    """The limit is half a second; the client sends no settings."""
    host, port = target.rsplit(":", 1)
    silent = socket.create_connection((host, int(port)), PATIENCE)
    while silent.recv(65536):
        pass


def keepalive(target):
    """The server pings after half a second, and waits as long for the acknowledgement."""
    client = Http2(target)
    client.acknowledges_pings = False
    client.open(BIDI)
    client.wait_for(PingFrame)
    client.wait_for_end()
    other = Http2(target)
    other.open(BIDI)
    for _ in range(4):
        other.wait_for(PingFrame)


def pings(target):
    """The limit is a ping a minute."""
    client = Http2(target)
    client.open(BIDI)
    frames = client.frames()
    # One at a time: sending to a closed connection resets it, and discards frames that are not read yet.
    closing = None
    while not isinstance(closing, GoAwayFrame):
        client.send(PingFrame(0, b"12345678"))
        closing = next(frame for frame in frames if isinstance(frame, (PingFrame, GoAwayFrame)))
    assert (closing.error_code, closing.additional_data) == (11, b"too_many_pings"), closing
    client.wait_for_end()


def memory(target):
    """The quota is 16 MiB; 40 connections send 3 MB each at the same time."""
    channels = [grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(40)]
    request = shape(3_000_000)
    codes = set()
    for _ in range(3):
        calls = [channel.unary_unary(UNARY).future(request, timeout=5) for channel in channels]
        codes |= {call.code() for call in calls}
    for channel in channels:
        channel.close()
    refused = {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}
    # An RPC may also wait for memory until its deadline.
    late = grpc.StatusCode.DEADLINE_EXCEEDED
    assert codes & refused and codes <= refused | {grpc.StatusCode.OK, late}, codes


def is_accepted(client):
    """Whether the server accepts a stream on this connection, instead of refusing it."""
    stream = client.open(UNARY)
    client.send(DataFrame(stream, b"\0\0\0\0\0", flags=["END_STREAM"]))
    frames = (frame for frame in client.frames() if frame.stream_id == stream)
    last = next(frame for frame in frames if isinstance(frame, RstStreamFrame) or "END_STREAM" in frame.flags)
    return isinstance(last, HeadersFrame)


def count_refused(client):
    """The number of streams that the server has refused (REFUSED_STREAM)."""
    refused = 0
    client.send(PingFrame(0, b"all sent"))
    for frame in client.frames():
        refused += isinstance(frame, RstStreamFrame) and frame.error_code == 7
        if isinstance(frame, PingFrame) and "ACK" in frame.flags:
            if frame.opaque_data == b"all read":
                return refused
            # The server writes acknowledgements before the frames that were due earlier.
            client.send(PingFrame(0, b"all read"))
    raise AssertionError("the connection was closed")


def rapid_reset(target):
    """Opens and resets streams, faster than the server processes them."""
    hostile, count = Http2(target), 5_000
    hostile.wait_for(SettingsFrame)
    # The server reads more at a time than the streams that it allows, and processes none of them before it has parsed it.
    with hostile.together():
        for _ in range(count):
            hostile.send(RstStreamFrame(hostile.open(UNARY), 8))
    refused = count_refused(hostile)
    assert 0 < refused <= count - 200, refused
    # The connection is usable once they are processed.
    end = time.monotonic() + PATIENCE
    while not is_accepted(hostile):
        assert time.monotonic() < end


def before_settings(target):
    """The limit is 100, which the client has not acknowledged yet."""
    client, count = Http2(target), 500
    with client.together():
        for _ in range(count):
            client.send(DataFrame(client.open(BIDI), b"\0\0\0\0\0"))
    for _ in range(count):
        first = client.wait_for((DataFrame, RstStreamFrame))
        assert isinstance(first, DataFrame), first
    # There is a limit nevertheless.
    hostile, count = Http2(target), 1_500
    with hostile.together():
        for _ in range(count):
            hostile.open(BIDI)
    refused = count_refused(hostile)
    assert refused == count - 1_000, refused


def memory_of_idle_connections(target):
    """The quota is 16 MiB; the server closes an idle connection at once when others need its memory."""
    idle = Http2(target)
    idle.wait_for(SettingsFrame)
    memory(target)
    frames = idle.frames()
    closing = next(frame for frame in frames if isinstance(frame, GoAwayFrame))
    assert (closing.error_code, closing.additional_data) == (11, b"Buffers full"), closing
    try:
        idle.send(PingFrame(0, b"any more"))
    except OSError:
        pass
    after = [type(frame) for frame in frames]
    assert not after, after


if __name__ == "__main__":
    scenario, target = sys.argv[1:]
    globals()[scenario](target)
    is_serving(target)
