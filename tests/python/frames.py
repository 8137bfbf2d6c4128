"""Frames as bytes, for the cases in h2spec_*.py. The RPC that they make is Add(20, 10)."""

from hostile_frames import (
    ADD, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY, RST_STREAM, SETTINGS,
    UNKNOWN, WINDOW_UPDATE, field, frame, message,
)

__all__ = [
    "ADDITION", "CONTINUATION", "DATA", "DUMMY", "END_HEADERS", "END_STREAM", "GOAWAY", "HEADERS", "PADDED", "PING",
    "PRIORITIZED", "PRIORITY", "PUSH_PROMISE", "REQUEST", "RST_STREAM", "SETTINGS", "UNKNOWN", "WINDOW_UPDATE",
    "call", "field", "fields", "frame", "headers", "message", "number", "open_call", "ping", "priority", "reset",
    "setting", "trailers", "update",
]
PUSH_PROMISE, PRIORITIZED = 5, 32


def number(value):
    return value.to_bytes(4, "big")


def fields(first=(), more=(), **changed):
    """A request's fields, with fields before and after them; `changed` are other values, or None for none."""
    request = {"method": "POST", "scheme": "http", "path": ADD, "authority": "localhost", "te": "trailers"} | changed
    te = request.pop("te")
    request = [(f":{name}", value) for name, value in request.items()]
    request += [("te", te), ("content-type", "application/grpc")]
    return b"".join(field(name, value) for name, value in [*first, *request, *more] if value is not None)


REQUEST = fields()
ADDITION = message(b"\x08\x14\x10\x0a")
# A field of a CONTINUATION.
DUMMY = field("x-dummy", "x" * 100)


def headers(stream, flags=END_STREAM | END_HEADERS, block=None, fields=REQUEST):
    """An RPC without a message, which the server answers as soon as the frame has ended the stream."""
    return frame(HEADERS, flags, stream, fields if block is None else block)


def open_call(stream):
    return headers(stream, END_HEADERS)


def call(stream):
    """A whole RPC: the reply takes seven bytes of DATA."""
    return open_call(stream) + frame(DATA, END_STREAM, stream, ADDITION)


def trailers(stream, name, value, flags=END_STREAM | END_HEADERS):
    return frame(HEADERS, flags, stream, field(name, value))


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, number(code))


def update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, number(increment))


def priority(stream, on=0, weight=255):
    return frame(PRIORITY, 0, stream, number(on) + bytes([weight]))


def ping(payload):
    return frame(PING, 0, 0, payload)


def setting(*numbers):
    """SETTINGS of identifiers and values in turn."""
    pairs = zip(numbers[::2], numbers[1::2])
    return frame(SETTINGS, 0, 0, b"".join(name.to_bytes(2, "big") + number(value) for name, value in pairs))
