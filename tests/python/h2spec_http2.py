"""Checks of RFC 9113 and RFC 7540 by section: those of h2spec's group http2, with RPCs as requests."""

from expectations import (
    COMPRESSION_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED,
    acknowledges_ping, acknowledges_ping_or_closes, acknowledges_settings, closes, connection_error, data, ends_stream,
    goaway, responds, rst_stream, stream_error,
)
from frames import (
    CONTINUATION, DATA, DUMMY, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITIZED, PRIORITY,
    PUSH_PROMISE, REQUEST, RST_STREAM, SETTINGS, UNKNOWN, WINDOW_UPDATE,
    call, fields, frame, headers, message, number, open_call, ping, priority, reset, setting, trailers, update,
)

PAYLOAD = b"h2checks"
ANY = b"test"
INVALID = b"\x40"


def too_large(kind, flags):
    return lambda peer: peer.write(open_call(1), frame(kind, flags, 1, bytes(peer.max_frame_size + 1)))


def too_many_calls(peer):
    peer.write(*(open_call(of) for of in range(1, 2 * peer.max_streams + 3, 2)))


CASES = [
    ("3.5/1", "a client preface", [ping(PAYLOAD), acknowledges_ping(PAYLOAD)]),
    ("3.5/2", "an invalid client preface", None),
    ("4.1/1", "a frame of an unknown type", [
        frame(UNKNOWN, 0, 0, bytes(8)), ping(PAYLOAD), acknowledges_ping(PAYLOAD),
    ]),
    ("4.1/2", "undefined flags", [frame(PING, 0x16, 0, PAYLOAD), acknowledges_ping(PAYLOAD)]),
    ("4.1/3", "the reserved bit", [frame(PING, 0x16, 1 << 31, PAYLOAD), acknowledges_ping(PAYLOAD)]),
    ("4.2/1", "DATA of 2^14 bytes", [open_call(1), frame(DATA, END_STREAM, 1, message(bytes(2**14 - 5))), responds]),
    ("4.2/2", "DATA over SETTINGS_MAX_FRAME_SIZE", [too_large(DATA, END_STREAM), stream_error(FRAME_SIZE_ERROR)]),
    ("4.2/3", "HEADERS over SETTINGS_MAX_FRAME_SIZE", [
        too_large(HEADERS, END_HEADERS), connection_error(FRAME_SIZE_ERROR),
    ]),
    ("4.3/1", "an invalid header block", [
        frame(HEADERS, END_STREAM | END_HEADERS, 1, INVALID), connection_error(COMPRESSION_ERROR),
    ]),
    ("4.3/2", "PRIORITY within a header block", [
        headers(1, 0), priority(1), frame(CONTINUATION, END_HEADERS, 1, DUMMY), connection_error(PROTOCOL_ERROR),
    ]),
    ("4.3/3", "HEADERS of another stream within a header block", [
        headers(1, 0), call(3), frame(CONTINUATION, END_HEADERS, 1, DUMMY), connection_error(PROTOCOL_ERROR),
    ]),
    ("5.1/1", "DATA on an idle stream", [frame(DATA, END_STREAM, 1, ANY), connection_error(PROTOCOL_ERROR)]),
    ("5.1/2", "RST_STREAM on an idle stream", [reset(1), connection_error(PROTOCOL_ERROR)]),
    ("5.1/3", "WINDOW_UPDATE on an idle stream", [update(1, 100), connection_error(PROTOCOL_ERROR)]),
    ("5.1/4", "CONTINUATION on an idle stream", [
        frame(CONTINUATION, END_HEADERS, 1, REQUEST), connection_error(PROTOCOL_ERROR),
    ]),
    ("5.1/5", "DATA on a half-closed stream", [
        headers(1), frame(DATA, END_STREAM, 1, ANY), stream_error(STREAM_CLOSED),
    ]),
    ("5.1/6", "HEADERS on a half-closed stream", [headers(1), headers(1), stream_error(STREAM_CLOSED)]),
    ("5.1/7", "CONTINUATION on a half-closed stream", [
        headers(1), frame(CONTINUATION, END_HEADERS, 1, REQUEST), stream_error(STREAM_CLOSED, PROTOCOL_ERROR),
    ]),
    ("5.1/8", "DATA after RST_STREAM", [
        open_call(1), reset(1), frame(DATA, END_STREAM, 1, ANY), stream_error(STREAM_CLOSED),
    ]),
    ("5.1/9", "HEADERS after RST_STREAM", [open_call(1), reset(1), headers(1), stream_error(STREAM_CLOSED)]),
    ("5.1/10", "CONTINUATION after RST_STREAM", [
        open_call(1), reset(1), frame(CONTINUATION, END_HEADERS, 1, DUMMY), stream_error(STREAM_CLOSED, PROTOCOL_ERROR),
    ]),
    ("5.1/11", "DATA on a closed stream", [
        call(1), ends_stream, frame(DATA, END_STREAM, 1, ANY), stream_error(STREAM_CLOSED),
    ]),
    ("5.1/12", "HEADERS on a closed stream", [call(1), ends_stream, headers(1), connection_error(STREAM_CLOSED)]),
    ("5.1/13", "CONTINUATION on a closed stream", [
        call(1), ends_stream, frame(CONTINUATION, END_HEADERS, 1, DUMMY),
        connection_error(STREAM_CLOSED, PROTOCOL_ERROR),
    ]),
    ("5.1.1/1", "an even stream identifier", [headers(2), connection_error(PROTOCOL_ERROR)]),
    ("5.1.1/2", "a stream identifier below an earlier one", [headers(5), headers(3), connection_error(PROTOCOL_ERROR)]),
    ("5.1.2/1", "more calls than SETTINGS_MAX_CONCURRENT_STREAMS", [
        too_many_calls, stream_error(PROTOCOL_ERROR, REFUSED_STREAM),
    ]),
    ("5.3.1/1", "HEADERS that depend on their own stream", [
        headers(1, END_STREAM | END_HEADERS | PRIORITIZED, number(1) + b"\xff" + REQUEST), stream_error(PROTOCOL_ERROR),
    ]),
    ("5.3.1/2", "PRIORITY that depends on its own stream", [priority(1, 1), stream_error(PROTOCOL_ERROR)]),
    ("5.4.1/1", "an invalid frame", [frame(PING, 0, 3, PAYLOAD), closes]),
    ("5.5/1", "an unknown frame", [frame(UNKNOWN, 0, 0, bytes(8)), ping(PAYLOAD), acknowledges_ping(PAYLOAD)]),
    ("5.5/2", "an unknown frame within a header block", [
        headers(1, END_STREAM), frame(UNKNOWN, 0, 0, bytes(8)), connection_error(PROTOCOL_ERROR),
    ]),
    ("6.1/1", "DATA without a stream", [frame(DATA, END_STREAM, 0, ANY), connection_error(PROTOCOL_ERROR)]),
    ("6.1/2", "DATA on a stream that is not open", [
        headers(1), frame(DATA, END_STREAM, 1, ANY), stream_error(STREAM_CLOSED),
    ]),
    ("6.1/3", "DATA with more padding than it is long", [
        open_call(1), frame(DATA, END_STREAM | PADDED, 1, b"\6" + ANY), connection_error(PROTOCOL_ERROR),
    ]),
    ("6.2/1", "PRIORITY instead of CONTINUATION", [
        headers(1, 0), priority(1), frame(CONTINUATION, END_HEADERS, 1, DUMMY), connection_error(PROTOCOL_ERROR),
    ]),
    ("6.2/2", "HEADERS of another stream instead of CONTINUATION", [
        headers(1, 0), headers(3), frame(CONTINUATION, END_HEADERS, 1, DUMMY), connection_error(PROTOCOL_ERROR),
    ]),
    ("6.2/3", "HEADERS without a stream", [headers(0), connection_error(PROTOCOL_ERROR)]),
    ("6.2/4", "HEADERS with more padding than they are long", [
        headers(1, END_STREAM | END_HEADERS | PADDED, bytes([len(REQUEST) + 2]) + REQUEST),
        stream_error(PROTOCOL_ERROR),
    ]),
    ("6.3/1", "PRIORITY without a stream", [priority(0), connection_error(PROTOCOL_ERROR)]),
    ("6.3/2", "PRIORITY of four bytes", [
        headers(1), frame(PRIORITY, 0, 1, b"\x80\0\0\1"), stream_error(FRAME_SIZE_ERROR),
    ]),
    ("6.4/1", "RST_STREAM without a stream", [reset(0), connection_error(PROTOCOL_ERROR)]),
    ("6.4/2", "RST_STREAM on an idle stream", [reset(1), connection_error(PROTOCOL_ERROR)]),
    ("6.4/3", "RST_STREAM of three bytes", [
        headers(1), frame(RST_STREAM, 0, 1, bytes(3)), stream_error(FRAME_SIZE_ERROR),
    ]),
    ("6.5/1", "an acknowledgement with settings", [frame(SETTINGS, 1, 0, b"\0"), connection_error(FRAME_SIZE_ERROR)]),
    ("6.5/2", "SETTINGS of a stream", [frame(SETTINGS, 0, 1, b"\0\3\0\0\0\x64"), connection_error(PROTOCOL_ERROR)]),
    ("6.5/3", "SETTINGS of eight bytes", [
        frame(SETTINGS, 0, 0, b"\0\3\0\0\0\x64\0\2"), stream_error(PROTOCOL_ERROR, FRAME_SIZE_ERROR),
    ]),
    ("6.5.2/1", "SETTINGS_ENABLE_PUSH of 2", [setting(2, 2), connection_error(PROTOCOL_ERROR)]),
    ("6.5.2/2", "SETTINGS_INITIAL_WINDOW_SIZE of 2^31", [setting(4, 2**31), connection_error(FLOW_CONTROL_ERROR)]),
    ("6.5.2/3", "SETTINGS_MAX_FRAME_SIZE below 2^14", [setting(5, 2**14 - 1), connection_error(PROTOCOL_ERROR)]),
    ("6.5.2/4", "SETTINGS_MAX_FRAME_SIZE of 2^24", [setting(5, 2**24), connection_error(PROTOCOL_ERROR)]),
    ("6.5.2/5", "an unknown setting", [setting(0xFF, 1), ping(PAYLOAD), acknowledges_ping(PAYLOAD)]),
    ("6.5.3/1", "a setting twice in one frame", [setting(4, 100, 4, 1), acknowledges_settings, call(1), data(1)]),
    ("6.5.3/2", "SETTINGS", [setting(2, 0), acknowledges_settings]),
    ("6.7/1", "PING", [ping(PAYLOAD), acknowledges_ping(PAYLOAD)]),
    ("6.7/2", "an acknowledgement of no PING", [
        frame(PING, 1, 0, b"unasked "), ping(PAYLOAD), acknowledges_ping(PAYLOAD),
    ]),
    ("6.7/3", "PING of a stream", [frame(PING, 0, 1, bytes(8)), connection_error(PROTOCOL_ERROR)]),
    ("6.7/4", "PING of six bytes", [frame(PING, 0, 0, bytes(6)), connection_error(FRAME_SIZE_ERROR)]),
    ("6.8/1", "GOAWAY of a stream", [frame(GOAWAY, 0, 1, bytes(8)), connection_error(PROTOCOL_ERROR)]),
    ("6.9/1", "WINDOW_UPDATE of 0", [update(0, 0), connection_error(PROTOCOL_ERROR)]),
    ("6.9/2", "WINDOW_UPDATE of 0 on a stream", [open_call(1), update(1, 0), stream_error(PROTOCOL_ERROR)]),
    ("6.9/3", "WINDOW_UPDATE of three bytes", [
        frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"), connection_error(FRAME_SIZE_ERROR),
    ]),
    ("6.9.1/1", "a window of one byte", [setting(4, 1), acknowledges_settings, call(1), data(1)]),
    ("6.9.1/2", "a window over 2^31-1", [update(0, 2**31 - 1), update(0, 2**31 - 1), goaway(FLOW_CONTROL_ERROR)]),
    ("6.9.1/3", "a window over 2^31-1 on a stream", [
        open_call(1), update(1, 2**31 - 1), update(1, 2**31 - 1), rst_stream(FLOW_CONTROL_ERROR),
    ]),
    ("6.9.2/1", "SETTINGS_INITIAL_WINDOW_SIZE after HEADERS", [
        setting(4, 0), acknowledges_settings, call(1), setting(4, 1), acknowledges_settings, data(1),
    ]),
    ("6.9.2/2", "SETTINGS_INITIAL_WINDOW_SIZE that makes a window negative", [
        setting(4, 3), acknowledges_settings, call(1), data(3), setting(4, 2), acknowledges_settings, update(1, 2),
        data(1),
    ]),
    ("6.9.2/3", "SETTINGS_INITIAL_WINDOW_SIZE over 2^31-1", [setting(4, 2**31), connection_error(FLOW_CONTROL_ERROR)]),
    ("6.10/1", "CONTINUATION twice", [
        headers(1, END_STREAM), frame(CONTINUATION, 0, 1, DUMMY), frame(CONTINUATION, END_HEADERS, 1, DUMMY), responds,
    ]),
    ("6.10/2", "DATA after CONTINUATION", [
        headers(1, 0), frame(CONTINUATION, 0, 1, DUMMY), frame(DATA, END_STREAM, 1, ANY),
        connection_error(PROTOCOL_ERROR),
    ]),
    ("6.10/3", "CONTINUATION without a stream", [
        headers(1, END_STREAM), frame(CONTINUATION, END_HEADERS, 0, DUMMY), connection_error(PROTOCOL_ERROR),
    ]),
    ("6.10/4", "CONTINUATION after complete HEADERS", [
        headers(1), frame(CONTINUATION, END_HEADERS, 1, DUMMY), connection_error(PROTOCOL_ERROR),
    ]),
    ("6.10/5", "CONTINUATION after complete CONTINUATION", [
        headers(1, END_STREAM), frame(CONTINUATION, END_HEADERS, 1, DUMMY) * 2, connection_error(PROTOCOL_ERROR),
    ]),
    ("6.10/6", "CONTINUATION after DATA", [
        call(1), frame(CONTINUATION, 0, 1, DUMMY), connection_error(PROTOCOL_ERROR),
    ]),
    ("7/1", "GOAWAY with an unknown error code", [
        frame(GOAWAY, 0, 0, number(0) + number(0xFF)), ping(PAYLOAD), acknowledges_ping_or_closes(PAYLOAD),
    ]),
    ("7/2", "RST_STREAM with an unknown error code", [
        open_call(1), reset(1, 0xFF), ping(PAYLOAD), acknowledges_ping(PAYLOAD),
    ]),
    ("8.1/1", "trailers without END_STREAM", [
        open_call(1), frame(DATA, 0, 1, message(b"")), trailers(1, "x-test", "ok", flags=END_HEADERS),
        stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2/1", "a field name in upper case", [
        headers(1, fields=fields(more=[("X-TEST", "ok")])), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.1/1", "an unknown pseudo-header", [
        headers(1, fields=fields(more=[(":test", "ok")])), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.1/2", "a pseudo-header of responses", [
        headers(1, fields=fields(more=[(":status", "200")])), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.1/3", "a pseudo-header in trailers", [
        open_call(1), frame(DATA, 0, 1, message(b"")), trailers(1, ":method", "POST"), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.1/4", "a pseudo-header after another field", [
        headers(1, fields=fields(first=[("x-test", "ok")])), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.2/1", "a connection-specific field", [
        headers(1, fields=fields(more=[("connection", "keep-alive")])), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.2/2", "TE other than trailers", [
        headers(1, fields=fields(te="trailers, deflate")), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.3/1", "an empty :path", [headers(1, fields=fields(path="")), stream_error(PROTOCOL_ERROR)]),
    ("8.1.2.3/2", "no :method", [headers(1, fields=fields(method=None)), stream_error(PROTOCOL_ERROR)]),
    ("8.1.2.3/3", "no :scheme", [headers(1, fields=fields(scheme=None)), stream_error(PROTOCOL_ERROR)]),
    ("8.1.2.3/4", "no :path", [headers(1, fields=fields(path=None)), stream_error(PROTOCOL_ERROR)]),
    ("8.1.2.3/5", ":method twice", [
        headers(1, fields=fields(first=[(":method", "POST")])), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.3/6", ":scheme twice", [
        headers(1, fields=fields(first=[(":scheme", "http")])), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.3/7", ":path twice", [headers(1, fields=fields(first=[(":path", "/")])), stream_error(PROTOCOL_ERROR)]),
    ("8.1.2.6/1", "a content-length that is wrong", [
        headers(1, END_HEADERS, fields=fields(more=[("content-length", "1")])),
        frame(DATA, END_STREAM, 1, message(b"")), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.1.2.6/2", "a content-length that is wrong for several DATA frames", [
        headers(1, END_HEADERS, fields=fields(more=[("content-length", "1")])), frame(DATA, 0, 1, b"\0\0\0"),
        frame(DATA, END_STREAM, 1, b"\0\0"), stream_error(PROTOCOL_ERROR),
    ]),
    ("8.2/1", "PUSH_PROMISE from a client", [
        frame(PUSH_PROMISE, END_HEADERS, 1, number(3) + REQUEST), connection_error(PROTOCOL_ERROR),
    ]),
]
