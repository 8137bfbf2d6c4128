"""What a server must accept: the checks of h2spec's groups generic and hpack, with RPCs as requests."""

from expectations import (
    COMPRESSION_ERROR, acknowledges_ping, acknowledges_ping_or_closes, acknowledges_settings, connection_error, data,
    ends_stream, responds,
)
from frames import (
    ADDITION, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, PADDED, PRIORITIZED, REQUEST,
    call, fields, frame, headers, message, number, open_call, ping, priority, reset, setting, trailers, update,
)

PAYLOAD = b"h2checks"
PINGED = [ping(PAYLOAD), acknowledges_ping(PAYLOAD)]
# The names and values in Huffman's code are user-agent, x-test and h2spec.
AGENT, X_TEST, VALUE = b"\x87\xb5\x05\xb1\x61\xcc\x5a\x93", b"\x85\xf2\xb2\x4a\x84\xff", b"\x84\x9c\x48\xac\xa4"
PLAIN_X_TEST, PLAIN_VALUE = b"\6x-test", b"\6h2spec"
# The index of user-agent in the static table, in a prefix of four bits, of six, and of seven.
AGENT_4, AGENT_6, AGENT_7 = b"\x0f\x2b", b"\x7a", b"\xba"


def responds_to(block):
    return [headers(1, block=block), responds]


def refuses(block):
    return [headers(1, block=block), connection_error(COMPRESSION_ERROR)]


def in_parts(*parts):
    """HEADERS and CONTINUATION with these parts of the request."""
    frames = [headers(1, END_STREAM, REQUEST[parts[0]])]
    frames += [frame(CONTINUATION, 0, 1, REQUEST[part]) for part in parts[1:-1]]
    return [*frames, frame(CONTINUATION, END_HEADERS, 1, REQUEST[parts[-1]]), responds]


GENERIC = [
    ("1/1", "a client preface", [*PINGED]),
    ("2/1", "PRIORITY on an idle stream", [priority(1), *PINGED]),
    ("2/2", "WINDOW_UPDATE on a half-closed stream", [setting(4, 0), call(1), update(1, 1), data()]),
    ("2/3", "PRIORITY on a half-closed stream", [setting(4, 0), call(1), priority(1), update(1, 1), data()]),
    ("2/4", "RST_STREAM on a half-closed stream", [
        headers(1), reset(1), ping(PAYLOAD), acknowledges_ping_or_closes(PAYLOAD),
    ]),
    ("2/5", "PRIORITY on a closed stream", [call(1), ends_stream, priority(1), *PINGED]),
    ("3.1/1", "DATA", [call(1), responds]),
    ("3.1/2", "DATA twice", [
        open_call(1), frame(DATA, 0, 1, b"\0\0"), frame(DATA, END_STREAM, 1, b"\0\0\0"), responds,
    ]),
    ("3.1/3", "DATA with padding", [
        open_call(1), frame(DATA, END_STREAM | PADDED, 1, b"\6" + message(b"") + bytes(6)), data(5),
    ]),
    ("3.2/1", "HEADERS", [headers(1), responds]),
    ("3.2/2", "HEADERS with padding", [
        headers(1, END_HEADERS | PADDED, b"\x08" + REQUEST + bytes(8)), frame(DATA, END_STREAM, 1, ADDITION), data(7),
    ]),
    ("3.2/3", "HEADERS with a priority", [
        headers(1, END_STREAM | END_HEADERS | PRIORITIZED, number(0) + b"\xff" + REQUEST), responds,
    ]),
    ("3.3/1", "PRIORITY of 1", [priority(1, weight=0), headers(1), responds]),
    ("3.3/2", "PRIORITY of 256", [priority(1), headers(1), responds]),
    ("3.3/3", "PRIORITY on another stream", [priority(3, 1), headers(1), responds]),
    ("3.3/4", "exclusive PRIORITY", [priority(1, 1 << 31), headers(1), responds]),
    ("3.3/5", "PRIORITY on a later stream", [priority(3), headers(1), responds]),
    ("3.4/1", "RST_STREAM", [open_call(1), reset(1), ping(PAYLOAD), acknowledges_ping_or_closes(PAYLOAD)]),
    ("3.5/1", "SETTINGS", [setting(1, 4096, 2, 1, 3, 100, 4, 65535, 5, 16384, 6, 100), acknowledges_settings]),
    ("3.7/1", "PING", [*PINGED]),
    ("3.8/1", "GOAWAY", [frame(GOAWAY, 0, 0, bytes(8) + PAYLOAD), ping(PAYLOAD), acknowledges_ping_or_closes(PAYLOAD)]),
    ("3.9/1", "WINDOW_UPDATE", [update(0, 1), *PINGED]),
    ("3.9/2", "WINDOW_UPDATE on a stream", [headers(1), update(1, 1), responds]),
    ("3.10/1", "CONTINUATION", in_parts(slice(5), slice(5, None))),
    ("3.10/2", "CONTINUATION twice", in_parts(slice(5), slice(5, 10), slice(10, None))),
    ("4/1", "GET", responds_to(fields(method="GET"))),
    ("4/2", "HEAD", responds_to(fields(method="HEAD"))),
    ("4/3", "POST", [call(1), responds]),
    ("4/4", "POST with trailers", [open_call(1), frame(DATA, 0, 1, message(b"")), trailers(1, "x-test", "ok"), data()]),
    ("5/1", "an indexed field", responds_to(REQUEST + AGENT_7)),
    ("5/2", "an indexed literal, indexed name", responds_to(REQUEST + AGENT_6 + PLAIN_VALUE)),
    ("5/3", "an indexed literal, indexed name, Huffman", responds_to(REQUEST + AGENT_6 + VALUE)),
    ("5/4", "an indexed literal, new name", responds_to(REQUEST + b"\x40" + PLAIN_X_TEST + PLAIN_VALUE)),
    ("5/5", "an indexed literal, new name, Huffman", responds_to(REQUEST + b"\x40" + X_TEST + VALUE)),
    ("5/6", "a literal, indexed name", responds_to(REQUEST + AGENT_4 + PLAIN_VALUE)),
    ("5/7", "a literal, indexed name, Huffman", responds_to(REQUEST + AGENT_4 + VALUE)),
    ("5/8", "a literal, new name", responds_to(REQUEST + b"\0" + PLAIN_X_TEST + PLAIN_VALUE)),
    ("5/9", "a literal, new name, Huffman", responds_to(REQUEST + b"\0" + X_TEST + VALUE)),
    ("5/10", "a literal never indexed, indexed name", responds_to(REQUEST + b"\x1f\x2b" + PLAIN_VALUE)),
    ("5/11", "a literal never indexed, indexed name, Huffman", responds_to(REQUEST + b"\x1f\x2b" + VALUE)),
    ("5/12", "a literal never indexed, new name", responds_to(REQUEST + b"\x10" + PLAIN_X_TEST + PLAIN_VALUE)),
    ("5/13", "a literal never indexed, new name, Huffman", responds_to(REQUEST + b"\x10" + X_TEST + VALUE)),
    ("5/14", "a table size update", responds_to(b"\x20" + REQUEST)),
    ("5/15", "two table size updates", responds_to(b"\x20\x3f\xe1\x1f" + REQUEST)),
]

HPACK = [
    ("2.3.3/1", "an indexed field with an invalid index", refuses(REQUEST + b"\xc6")),
    ("2.3.3/2", "a literal with an invalid index", refuses(REQUEST + b"\x7f\x07\0")),
    ("4.2/1", "a table size update after fields", refuses(REQUEST + b"\x21")),
    ("5.2/1", "padding of more than seven bits", refuses(REQUEST + b"\0" + X_TEST + b"\x84\x49\x50\x9f\xff")),
    ("5.2/2", "padding with zeros", refuses(REQUEST + b"\0" + X_TEST + b"\x83\x49\x50\x90")),
    ("5.2/3", "the end-of-string symbol", refuses(REQUEST + b"\0" + X_TEST[:-2] + b"\x87\xff\xff\xff\xfd\x25\x42\x7f")),
    ("6.1/1", "index 0", refuses(REQUEST + b"\x80")),
    # 16385 is more than any SETTINGS_HEADER_TABLE_SIZE that the server sends.
    ("6.3/1", "a table size update over SETTINGS_HEADER_TABLE_SIZE", refuses(b"\x3f\xe2\x7f" + REQUEST)),
]
