"""Sends invalid frames: python connection_errors.py TARGET, where TARGET serves the Calculator.

An error of the connection is named in GOAWAY; one of a stream leaves its connection to the other RPCs.
"""

import sys

from hyperframe.frame import GoAwayFrame, HeadersFrame, RstStreamFrame

from expectations import (
    COMPRESSION_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR, STREAM_CLOSED,
)
from frames import (
    DATA, END_HEADERS, END_STREAM, PING,
    call, fields, frame, headers, message, open_call, reset, setting, trailers, update,
)
from hostile_frames import ADD, Raw

# Frames, the error code, and the last stream that the server has taken.
OF_THE_CONNECTION = [
    (frame(PING, 0, 0, b"short"), FRAME_SIZE_ERROR, 0),
    (headers(1, block=b"\x80"), COMPRESSION_ERROR, 1),
    (setting(4, 2**31), FLOW_CONTROL_ERROR, 0),
    (frame(DATA, END_STREAM, 1, b"idle"), PROTOCOL_ERROR, 0),
    (headers(1) + headers(1), STREAM_CLOSED, 1),
    (call(1) + headers(5) + headers(3), STREAM_CLOSED, 5),
    (open_call(1) + reset(1) + frame(DATA, 0, 1, b"x"), STREAM_CLOSED, 1),
    (update(0, 2**31 - 1), FLOW_CONTROL_ERROR, 0),
]
OF_A_STREAM = [
    (open_call(1) + update(1, 0), PROTOCOL_ERROR),
    (open_call(1) + update(1, 2**31 - 1), FLOW_CONTROL_ERROR),
    (open_call(1) + trailers(1, ":path", ADD), PROTOCOL_ERROR),
    (headers(1, fields=fields(first=[(":path", ADD)])), PROTOCOL_ERROR),
    (headers(1, fields=fields(more=[("transfer-encoding", "chunked")])), PROTOCOL_ERROR),
    (headers(1, fields=fields(method=None)), PROTOCOL_ERROR),
]


def of_the_connection(frames, code, last):
    client = Raw(sys.argv[1])
    client.write(frames)
    goaway = client.wait_for(GoAwayFrame)
    assert (goaway.error_code, goaway.last_stream_id) == (code, last), (frames[:200], goaway)
    assert goaway.additional_data, "without a reason"
    client.wait_for_end()


def of_a_stream(frames, code):
    client = Raw(sys.argv[1])
    client.write(frames)
    is_over = False
    for received in client.frames():
        assert not is_over or received.stream_id != 1, f"{frames[:200]}: {received} after RST_STREAM"
        if isinstance(received, RstStreamFrame):
            assert received.error_code == code, (frames[:200], received)
            is_over = True
            client.write(call(3))
        elif received.stream_id == 3 and "END_STREAM" in received.flags:
            return
    raise AssertionError(f"{frames[:200]}: the connection is closed")


def late_frames():
    """What is on its way when the server ends a stream is no error."""
    for request in (fields(path="/none"), fields(more=[("grpc-timeout", "1m")])):
        client = Raw(sys.argv[1])
        client.write(headers(1, END_HEADERS, fields=request))
        ended = client.wait_for(HeadersFrame)
        assert "END_STREAM" in ended.flags, ended
        client.decoder.decode(ended.data)
        client.write(frame(DATA, 0, 1, message(b"")), trailers(1, "key", "value"), reset(1), update(1, 10))
        client.next_stream = 3
        assert client.outcome(path=ADD) == 0


def main():
    for case in OF_THE_CONNECTION:
        of_the_connection(*case)
    for case in OF_A_STREAM:
        of_a_stream(*case)
    late_frames()


if __name__ == "__main__":
    main()
