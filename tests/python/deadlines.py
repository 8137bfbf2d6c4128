"""Makes RPCs whose deadlines expire at once, and verifies that the server ends each stream once.

python deadlines.py TARGET, where TARGET serves the Calculator.
"""

import sys

from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, RstStreamFrame

from hostile_frames import (
    ADD, DATA, END_HEADERS, END_STREAM, HEADERS, PING, Raw, block, field, frame, is_adding, message,
)

RPCS, TOGETHER = 600, 60
OK, CANCELLED, DEADLINE_EXCEEDED = 0, 1, 4
# Nanoseconds and milliseconds.
TIMEOUTS = ("1n", "1m")


def rpc(stream, timeout, is_whole):
    """With its request, or without it and so without an end."""
    headers = frame(HEADERS, END_HEADERS, stream, block(field("grpc-timeout", timeout), path=ADD))
    return headers + (frame(DATA, END_STREAM, stream, message(b"\x08\x14\x10\x0a")) if is_whole else b"")


class Streams:
    """The frames of each stream, and the status that it ended with."""

    def __init__(self, client):
        self.client, self.ended, self.reset = client, {}, set()

    def receive_until(self, is_enough):
        for received in self.client.frames():
            self.receive(received)
            if is_enough(received):
                return
        raise AssertionError("the server has closed the connection")

    def receive(self, received):
        stream = received.stream_id
        headers = dict(self.client.decoder.decode(received.data)) if isinstance(received, HeadersFrame) else {}
        if isinstance(received, RstStreamFrame):
            assert stream not in self.reset, f"RST_STREAM again: {received}, {self.ended.get(stream)}"
            self.reset.add(stream)
        elif isinstance(received, (HeadersFrame, DataFrame)):
            is_over = stream in self.ended or stream in self.reset
            assert not is_over, f"after the end of the stream: {received} {headers}"
        if "END_STREAM" in received.flags:
            self.ended[stream] = int(headers["grpc-status"])


def main(target):
    client = Raw(target)
    streams = Streams(client)
    for first in range(0, RPCS, TOGETHER):
        batch = range(2 * first + 1, 2 * (first + TOGETHER), 2)
        client.write(*(rpc(of, TIMEOUTS[of // 2 % 2], of // 4 % 2 == 0) for of in batch))
        streams.receive_until(lambda _: all(of in streams.ended or of in streams.reset for of in batch))
    # What the server sends late has arrived once it has answered what was sent last.
    client.write(frame(PING, 0, 0, b"all sent"))
    streams.receive_until(lambda received: isinstance(received, PingFrame) and received.opaque_data == b"all sent")
    client.next_stream = 2 * RPCS + 1
    assert client.outcome(path=ADD, request=b"\x08\x14\x10\x0a") == OK
    statuses = set(streams.ended.values())
    assert DEADLINE_EXCEEDED in statuses and statuses <= {OK, CANCELLED, DEADLINE_EXCEEDED}, statuses
    is_adding(target)


if __name__ == "__main__":
    main(sys.argv[1])
