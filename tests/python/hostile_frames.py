"""Sends frames that no gRPC client sends, and verifies that the server limits what they cost and serves others.

python hostile_frames.py SCENARIO TARGET [PID], where TARGET serves the tests' Kinds service, or the Calculator in the
process PID.
"""

import fcntl
import random
import re
import socket
import struct
import sys
import termios
import time

from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from checks import PATIENCE
from http2 import Http2
from limits import UNARY, is_serving, shape

ADD = "/calc.Calculator/Add"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
UNKNOWN = 0xBB
END_STREAM, END_HEADERS, PADDED = 1, 4, 8
PROTOCOL_ERROR, REFUSED_STREAM = 1, 7


def frame(kind, flags, stream, body=b""):
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def field(name, value, indexed=False):
    """A header field as literals; `indexed` also adds it to the HPACK table."""
    name, value = name.encode(), value.encode()
    return (b"\x40" if indexed else b"\0") + bytes([len(name)]) + name + bytes([len(value)]) + value


# The field that was added to the HPACK table last.
NEWEST = b"\xbe"


def block(*fields, path=UNARY):
    """A header block that leaves the HPACK table alone, but for these additional fields."""
    request = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost"}
    request |= {"te": "trailers", "content-type": "application/grpc"}
    return b"".join([field(name, value) for name, value in request.items() if value is not None] + list(fields))


def message(request):
    return b"\0" + len(request).to_bytes(4, "big") + request


class Raw(Http2):
    """A client that sends bytes."""

    def __init__(self, target):
        super().__init__(target)
        self.settings = self.wait_for(SettingsFrame).settings

    def write(self, *frames):
        self.socket.sendall(b"".join(frames))

    def wait_until_read(self):
        """Waits until the server's system has received what was sent, which it does while the server reads."""
        end = time.monotonic() + PATIENCE
        while struct.unpack("i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4)))[0]:
            if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or time.monotonic() > end:
                raise ConnectionResetError
            time.sleep(0.001)

    def outcome(self, *fields, path=UNARY, request=b""):
        """Makes an RPC; returns its status, or the error code of its RST_STREAM as a negative number."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.write(
            frame(HEADERS, END_HEADERS, stream, block(*fields, path=path)),
            frame(DATA, END_STREAM, stream, message(request)),
        )
        for received in self.frames():
            if isinstance(received, HeadersFrame):
                headers = dict(self.decoder.decode(received.data))
            if received.stream_id != stream:
                continue
            if isinstance(received, RstStreamFrame):
                return -received.error_code
            if isinstance(received, HeadersFrame) and "END_STREAM" in received.flags:
                return int(headers["grpc-status"])
        raise AssertionError("the connection was closed before the RPC had ended")

    def until_answered(self):
        """The frames from the server until it has processed everything that was sent, or has closed the connection."""
        try:
            self.write(frame(PING, 0, 0, b"all sent"))
        except OSError:
            pass
        frames = []
        for received in self.frames():
            frames.append(received)
            if isinstance(received, PingFrame) and received.opaque_data == b"all sent":
                return frames
        return frames


def field_errors(target):
    """CVE-2024-7246: a field that cannot be parsed, followed by a valid one that the next RPC refers to."""
    for invalid in (field("x-bin", "!"), field("Upper", "x")):
        client = Raw(target)
        failed = client.outcome(invalid, field("key", "value", indexed=True))
        assert failed != 0, failed
        assert client.outcome(NEWEST) == 0, (invalid, "the next RPC fails as well")
    # One that is in the table fails every RPC that refers to it, but no other.
    client = Raw(target)
    assert client.outcome(field("x-bin", "!", indexed=True)) != 0
    assert client.outcome(NEWEST) != 0
    assert client.outcome() == 0


def field_errors_over_the_limit(target):
    """The limit is 4 KiB: after it has been exceeded, an invalid field was added to the table as a valid one."""
    client = Raw(target)
    large = [field(f"key{number}", "x" * 100) for number in range(40)]
    assert client.outcome(*large, field("x-bin", "!", indexed=True)) == 8
    assert client.outcome(NEWEST) != 0


def one_status(target):
    """The limit of metadata is 4 KiB."""
    client = Raw(target)
    fields = [field(f"key{number}", "x" * 100) for number in range(40)]
    client.write(frame(HEADERS, END_HEADERS, 1, block(*fields)), frame(DATA, END_STREAM, 1, message(b"")))
    ends = []
    while not ends:
        ends = [received for received in client.until_answered() if received.stream_id == 1]
    # What the server sends late arrives before the reply to another RPC.
    client.write(frame(HEADERS, END_HEADERS, 3, block()), frame(DATA, END_STREAM, 3, message(b"")))
    for received in client.frames():
        if received.stream_id == 1:
            ends.append(received)
        elif received.stream_id == 3 and "END_STREAM" in received.flags:
            break
    assert [type(end) for end in ends] == [HeadersFrame, RstStreamFrame], ends


def fragments(target):
    """A message arrives whole, however it is cut, and whatever the frames of two streams are mixed with."""
    source = random.Random(1)
    for size in (lambda: 1, lambda: source.randrange(40), lambda: source.choice([1, 30, 1023, 1024, 9000])):
        client = Raw(target)
        text = bytes(source.choices(b"abcdefghijklmnopqrstuvwxyz", k=30_000))
        request = message(shape(0)[:1] + varint(len(text)) + text)
        for stream in (1, 3):
            client.write(frame(HEADERS, END_HEADERS, stream, block()))
        at = 0
        while at < len(request):
            part = request[at : at + size()]
            at += len(part)
            for stream in (1, 3):
                client.write(frame(DATA, END_STREAM if at == len(request) else 0, stream, part))
            client.write(frame(UNKNOWN, 0, 0, bytes(source.randrange(50))))
        replies = {1: b"", 3: b""}
        ended = 0
        for received in client.frames():
            if isinstance(received, DataFrame):
                replies[received.stream_id] += received.data
                client.write(*(frame(WINDOW_UPDATE, 0, of, b"\0\1\0\0") for of in (0, received.stream_id)))
            ended += received.stream_id in replies and "END_STREAM" in received.flags
            if ended == 2:
                break
        assert replies == {1: request, 3: request}


def varint(value):
    encoded = b""
    while value > 127:
        encoded, value = encoded + bytes([value & 127 | 128]), value >> 7
    return encoded + bytes([value])


def peak_memory(pid):
    """The maximum of the resident memory of the process, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read())[1]) * 1024


# What any of these attacks may take: twice the messages that wait, and what a connection takes.
MEMORY = 32 * 1024 * 1024


def tiny_frames(target, pid):
    """CVE-2026-84304: messages in many frames, each of which took a slice and kept the buffer it was read into."""
    before = peak_memory(pid)
    # Without anything between them: 4 MiB of bytes.
    rest = 4 * 1024 * 1024 - 9
    request = message(b"\x08\x14\x10\x0a" + b"\x7a" + varint(rest) + bytes(rest))
    client = Raw(target)
    client.write(frame(HEADERS, END_HEADERS, 1, block(path=ADD)))
    for start in range(0, len(request), 4096):
        client.write(*(frame(DATA, 0, 1, request[at : at + 1]) for at in range(start, min(start + 4096, len(request)))))
    client.write(frame(DATA, END_STREAM, 1))
    assert reply(client, 1) == message(b"\x08\x1e")
    # Each in a buffer of its own: the rest of which has frames that are skipped.
    client = Raw(target)
    request = message(b"\x08\x14\x10\x0a" + b"\x7a" + varint(200_000) + bytes(200_000))
    client.write(frame(HEADERS, END_HEADERS, 1, block(path=ADD)))
    skipped = frame(UNKNOWN, 0, 0, bytes(16_000))
    for start in range(0, len(request), 24):
        client.write(frame(DATA, 0, 1, request[start : start + 24]), skipped)
    client.write(frame(DATA, END_STREAM, 1))
    assert reply(client, 1) == message(b"\x08\x1e")
    grown = peak_memory(pid) - before
    assert grown < MEMORY, f"{grown >> 20} MiB"


def reply(client, stream):
    """The reply of an RPC, with the five bytes before it."""
    data = b""
    for received in client.frames():
        if received.stream_id == stream and isinstance(received, DataFrame):
            data += received.data
        if received.stream_id == stream and "END_STREAM" in received.flags:
            return data
    raise AssertionError("the connection was closed before the RPC had ended")


def flood_frames():
    """Frames that cost the client nothing: what is sent first, and then again and again."""
    opened = frame(HEADERS, END_HEADERS, 1, block(path=ADD))
    begun = frame(HEADERS, 0, 1, block(path=ADD))
    ended = frame(HEADERS, END_HEADERS | END_STREAM, 1, block(path=ADD))
    return {
        "empty DATA": (opened, frame(DATA, 0, 1)),
        "DATA of a closed stream": (ended, frame(DATA, 0, 1, b"x")),
        "empty CONTINUATION": (begun, frame(CONTINUATION, 0, 1)),
        "fields in CONTINUATION": (begun, frame(CONTINUATION, 0, 1, field("key", "x" * 100) * 10)),
        "references in CONTINUATION": (
            frame(HEADERS, 0, 1, block(field("key", "x" * 120, indexed=True), path=ADD)),
            frame(CONTINUATION, 0, 1, NEWEST * 100),
        ),
        "one field without end": (
            frame(HEADERS, 0, 1, block(b"\0\1x\x7f\x81\xff\xff\xff\x07", path=ADD)),
            frame(CONTINUATION, 0, 1, b"x" * 1000),
        ),
        "SETTINGS": (b"", frame(SETTINGS, 0, 0, bytes([0, 4, 0, 0, 255, 255]))),
        "PING": (b"", frame(PING, 0, 0, b"12345678")),
        "RST_STREAM": (b"", frame(RST_STREAM, 0, 1, b"\0\0\0\x08")),
        "WINDOW_UPDATE": (b"", frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1")),
        "PRIORITY": (b"", frame(PRIORITY, 0, 1, b"\0\0\0\0\x10")),
        "GOAWAY": (b"", frame(GOAWAY, 0, 0, bytes(108))),
        "unknown frames": (b"", frame(UNKNOWN, 0, 0)),
    }


def floods(target, pid):
    """As many of each as the client can send; it does not read."""
    before = peak_memory(pid)
    for name, (first, again) in flood_frames().items():
        client = Raw(target)
        client.socket.settimeout(1)
        try:
            client.write(first)
            # What is in flight takes memory as well; pings do harm when one read brings many.
            times = 1 + (3_000_000 if name == "PING" else 300_000) // len(again)
            for _ in range(1 + 100_000 // times):
                client.write(again * times)
                client.wait_until_read()
        except OSError:
            # The server has closed the connection, or does not read on before the client does.
            pass
        is_adding(target)
        grown = peak_memory(pid) - before
        assert grown < MEMORY, f"{name}: {grown >> 20} MiB"


def is_adding(target):
    assert Raw(target).outcome(path=ADD, request=b"\x08\x14\x10\x0a") == 0


def ends_stream(received):
    return isinstance(received, RstStreamFrame) or "END_STREAM" in received.flags


def made_you_reset(target):
    """CVE-2025-8671: the server resets the streams, because of what the client sends after a request."""
    begun = lambda of: frame(DATA, 0, of, message(b""))
    ended = lambda of: frame(DATA, END_STREAM, of, message(b""))
    trailers = lambda of, *fields: frame(HEADERS, END_HEADERS | END_STREAM, of, b"".join(fields))
    attacks = {
        "trailers that cannot be parsed": lambda of: begun(of) + trailers(of, field("x-bin", "!")),
        "DATA with too much padding": lambda of: begun(of) + frame(DATA, PADDED | END_STREAM, of, b"\2x"),
        "DATA over the window": lambda of: begun(of) + frame(DATA, 0, of, bytes(16384)) * 5,
        "DATA after its end": lambda of: ended(of) + frame(DATA, 0, of, b"x"),
        "HEADERS after its end": lambda of: ended(of) + trailers(of, field("key", "value")),
        "a message with unknown flags": lambda of: begun(of) + frame(DATA, END_STREAM, of, b"\7\0\0\0\0"),
        "WINDOW_UPDATE of 0": lambda of: ended(of) + frame(WINDOW_UPDATE, 0, of, bytes(4)),
        "WINDOW_UPDATE that overflows": lambda of: ended(of) + frame(WINDOW_UPDATE, 0, of, b"\x7f\xff\xff\xff"),
        "WINDOW_UPDATE of three bytes": lambda of: ended(of) + frame(WINDOW_UPDATE, 0, of, bytes(3)),
        "PRIORITY of itself": lambda of: ended(of) + frame(PRIORITY, 0, of, of.to_bytes(4, "big") + b"\x10"),
        "PRIORITY of four bytes": lambda of: ended(of) + frame(PRIORITY, 0, of, bytes(4)),
    }
    for name, attack in attacks.items():
        client = Raw(target)
        try:
            for batch in range(1, 4_000, 1_000):
                streams = range(batch, batch + 1_000, 2)
                client.write(*(frame(HEADERS, END_HEADERS, of, block()) + attack(of) for of in streams))
        except OSError:
            # The server has closed the connection.
            pass
        received = client.until_answered()
        is_open = any(isinstance(each, PingFrame) and each.opaque_data == b"all sent" for each in received)
        refused = sum(isinstance(each, RstStreamFrame) and each.error_code == REFUSED_STREAM for each in received)
        if is_open and refused == 0:
            # None may be left.
            over = {each.stream_id for each in received if ends_stream(each)}
            frames = client.frames()
            while len(over) < 2_000:
                each = next(frames)
                over |= {each.stream_id} if ends_stream(each) else set()
        is_serving(target)


# Of the server in `paths`.
TOKEN = field("authorization", "Bearer 0123456789abcdef")


def paths(target):
    """CVE-2026-33186: a path that is not the method's own reaches no method, and is not open because that one is."""
    unimplemented, unauthenticated, unknown = 12, 16, 2
    method, public = "/calc.Calculator/Add", "/grpc.health.v1.Health/Check"
    client = Raw(target)
    assert client.outcome(path=method) == unauthenticated
    assert client.outcome(path=public) == 0
    for path in (method, public):
        service, name = path[1:].split("/")
        for other in (
            "", "/", "//", "*", name, f"/{name}", path[1:], f"/{path}", f"//{path}", f"{path}/", f"/{service}//{name}",
            f"/./{service}/{name}", f"/x/../{service}/{name}", f"http://localhost{path}", f"{path}?x", f"{path}#x",
            f"{path}\0", f" {path}", f"{path} ", path.replace("/", "\\"), path.replace("/", "%2F"), path.lower(),
            f"/{service}/%{ord(name[0]):x}{name[1:]}", f"/{service}", f"/{service}/",
        ):
            got = client.outcome(path=other), client.outcome(TOKEN, path=other)
            # The C core itself answers a request with an empty path.
            expected = unauthenticated if other else unimplemented
            assert got == (expected, unimplemented), (other, got)
    assert client.outcome(path=None) == unknown
    # A request with two paths is malformed, in whichever order they come.
    assert client.outcome(field(":path", method), path=public) == -PROTOCOL_ERROR
    assert client.outcome(field(":path", public), path=method) == -PROTOCOL_ERROR


def trailers(target, change):
    """Makes an RPC with these headers changed, or left out if they are None; returns its trailers."""
    client = Http2(target)
    headers = {":method": "POST", ":scheme": "http", ":path": UNARY, ":authority": "localhost", "te": "trailers"} | change
    headers = [(name, value) for name, value in headers.items() if value is not None]
    client.send(HeadersFrame(1, client.encoder.encode(headers), flags=["END_HEADERS"]))
    client.send(DataFrame(1, message(b""), flags=["END_STREAM"]))
    for received in client.frames():
        if isinstance(received, HeadersFrame):
            headers = dict(client.decoder.decode(received.data))
        if received.stream_id == 1 and "END_STREAM" in received.flags:
            return headers
    raise AssertionError("the connection was closed before the RPC had ended")


def no_requests(target):
    for name in (":method", ":scheme", ":path", ":authority", "te"):
        got = trailers(target, {name: None})
        assert (got["grpc-status"], got["grpc-message"]) == ("2", f"Missing {name} header".replace(" te ", " :te ")), got
    for method in ("GET", "PUT"):
        got = trailers(target, {":method": method})
        assert (got["grpc-status"], got["grpc-message"]) == ("2", "Bad method header"), got
    assert trailers(target, {":authority": None, "host": "localhost"})["grpc-status"] == "0"


def bad_metadata(target, count):
    """RPCs with metadata that cannot be parsed."""
    for number in range(int(count)):
        invalid = [("content-type", "text/html"), ("grpc-timeout", "soon")][number % 2]
        assert Raw(target).outcome(field(*invalid)) != 0, invalid


def no_preface(target, count):
    """Connections that begin with neither HTTP/2 nor a handshake."""
    host, port = target.rsplit(":", 1)
    for _ in range(int(count)):
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            try:
                while connection.recv(4096):
                    pass
            except ConnectionResetError:
                pass


if __name__ == "__main__":
    scenario, target, *rest = sys.argv[1:]
    globals()[scenario](target, *rest)
