"""Connections that are slow, half-open or cut, and what is no gRPC request."""

import contextlib
import socket
import ssl
import struct
import time

from hyperframe.frame import SettingsFrame

from certificates import tls_arguments
from faults import MIB, fault
from hostile_frames import (
    ADD,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    RST_STREAM,
    SETTINGS,
    Raw,
    block,
    field,
    frame,
    message,
    varint,
)
from http2 import PREFACE, Http2

BATCH = "/calc.BatchCalculator/Calculate"
REQUEST = message(b"\x08\x14\x10\x0a")


def connect(scene):
    host, port = scene.target.rsplit(":", 1)
    return socket.create_connection((host, int(port)), 20)


def is_closed(connection):
    """Whether the server has closed it, after what it sent before."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
        return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def wait_until_closed(connections, seconds):
    """The number that the server closes in this time."""
    end, still = time.monotonic() + seconds, list(connections)
    while still and time.monotonic() < end:
        still = [connection for connection in still if not is_closed(connection)]
        time.sleep(0.05)
    return len(connections) - len(still)


def half_open(scene, count, data):
    """Connections that send this and then nothing; the server must close each at its --handshake-timeout of 1 s."""
    count = scene.times(count)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(scene)) for _ in range(count)]
        for connection in connections:
            connection.sendall(data)
        closed = wait_until_closed(connections, 10)
        assert closed == count, f"{count - closed} of {count} are still open"
    return count, f"closed all {closed}"


@fault("half-open connections", ["--handshake-timeout", "1"], memory=200 * MIB, quick=True)
def half_open_plain(scene):
    count, did = half_open(scene, 3000, b"")
    return f"{count} connections that send nothing; --handshake-timeout 1", did


@fault("half-open HTTP/2", ["--handshake-timeout", "1"], memory=200 * MIB)
def half_open_http2(scene):
    count, did = half_open(scene, 3000, PREFACE[:20])
    return f"{count} connections that send a part of the preface; --handshake-timeout 1", did


TLS = [*tls_arguments(), "--handshake-timeout", "1"]


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()



# The callers of these use TLS as well.
@fault("half-open TLS handshakes", TLS, memory=200 * MIB, quick=True)
def half_open_tls(scene):
    count, did = half_open(scene, 3000, b"")
    return f"{count} connections to a TLS port that send nothing; --handshake-timeout 1", did


@fault("TLS handshakes that stop after ClientHello", TLS, memory=300 * MIB)
def half_open_hello(scene):
    count, did = half_open(scene, 3000, client_hello())
    return f"{count} connections that send ClientHello only; --handshake-timeout 1", did


@fault("TLS handshakes that stop within ClientHello", TLS, memory=200 * MIB)
def half_open_part(scene):
    count, did = half_open(scene, 3000, client_hello()[:100])
    return f"{count} connections that send 100 bytes of ClientHello; --handshake-timeout 1", did


def aborted(client):
    """Closes with RST instead of FIN."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


def churn(scene, resets):
    """Connections one after the other, each with streams that are opened and reset at once."""
    streams = b"".join(
        frame(HEADERS, END_HEADERS, of, block(path=ADD)) + frame(RST_STREAM, 0, of, b"\0\0\0\x08")
        for of in range(1, 2 * resets, 2)
    )
    for turns in scene.until_end():
        with connect(scene) as connection:
            connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + streams)
    return f"{turns + 1} connections that open and reset {resets} streams each", "accepted and ended them in turn"


for each in 0, 20, 199:
    fault(f"connection churn, {each} resets", p99=0.05, quick=each == 20)(lambda scene, resets=each: churn(scene, resets))


@fault("RPCs without their requests", quick=True)
def without_requests(scene):
    with contextlib.ExitStack() as stack:
        for _ in range(scene.times(45)):
            client = Raw(scene.target)
            stack.callback(client.socket.close)
            client.write(*(frame(HEADERS, END_HEADERS, of, block(path=ADD)) for of in range(1, 200, 2)))
            client.until_answered()
        for _ in scene.until_end():
            time.sleep(0.05)
    return f"{100 * scene.times(45)} RPCs that send headers and nothing else", "held them, and answered others"


def framed_batch(count):
    """Additions of that many pairs."""
    column = lambda tag: tag + varint(4 * count) + bytes(4 * count)
    return message(b"\x08\x01" + column(b"\x12") + column(b"\x1a"))


@fault("TCP RST amid streams", quick=True)
def reset_connections(scene):
    sent = message(b"\x08\x01")
    for turns in scene.until_end():
        client = Raw(scene.target)
        for of in range(1, 41, 4):
            client.write(frame(HEADERS, END_HEADERS, of, block(path=ADD)) + frame(DATA, 0, of, REQUEST[:3]))
            client.write(frame(HEADERS, END_HEADERS, of + 2, block(path=BATCH)) + frame(DATA, 0, of + 2, sent))
        aborted(client)
    return f"{turns + 1} connections cut (RST) amid 20 calls each, half of them streams", "ended their calls"


@fault("RST_STREAM amid streams", quick=True)
def reset_streams(scene):
    cancel, count = b"\0\0\0\x08", 0
    client = Raw(scene.target)
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in scene.until_end():
        of, client.next_stream = client.next_stream, client.next_stream + 2
        client.write(frame(HEADERS, END_HEADERS, of, block(path=BATCH)), frame(DATA, 0, of, message(b"\x08\x01")))
        # Its reply, or its refusal.
        assert any(received.stream_id == of for received in client.frames()), "the server has closed the connection"
        client.write(frame(RST_STREAM, 0, of, cancel))
        count += 1
    client.socket.close()
    return f"{count} streams reset after their first reply", "ended each; kept the connection"


@fault("slow readers", memory=200 * MIB, quick=True)
def slow_readers(scene):
    """Their streams' windows are open, the connection's is not: replies wait in the server."""
    count, request = scene.times(100), framed_batch(16_000)
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = Http2(scene.target, receive_buffer=4096, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 2**31 - 1})
            stack.enter_context(client.socket)
            client.wait_for(SettingsFrame)
            client.socket.settimeout(0.05)
            with contextlib.suppress(OSError):
                for of in range(1, 200, 2):
                    opened = frame(HEADERS, END_HEADERS, of, block(path=BATCH))
                    client.socket.sendall(opened + b"".join(data_frames(of, request)))
        for _ in scene.until_end():
            time.sleep(0.05)
    return f"{count} clients that send batches on up to 100 streams and read nothing", "stopped reading from them"


def data_frames(of, data):
    return [frame(DATA, 0, of, data[at : at + 16_000]) for at in range(0, len(data), 16_000)]


@fault("replies without a window", memory=200 * MIB)
def no_window(scene):
    count = scene.times(100)
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = Http2(scene.target, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0})
            stack.enter_context(client.socket)
            for of in range(1, 200, 2):
                call = frame(HEADERS, END_HEADERS, of, block(path=ADD)) + frame(DATA, END_STREAM, of, REQUEST)
                client.socket.sendall(call)
        for _ in scene.until_end():
            time.sleep(0.05)
    return f"{count} clients with 100 calls each and a window of 0 for the replies", "kept the replies"


@fault("slow writers", memory=200 * MIB)
def slow_writers(scene):
    count = scene.times(500)
    data = frame(HEADERS, END_HEADERS, 1, block(path=ADD)) + frame(DATA, END_STREAM, 1, REQUEST)
    with contextlib.ExitStack() as stack:
        clients = [Raw(scene.target) for _ in range(count)]
        for client in clients:
            stack.enter_context(client.socket)
        sent = 0
        for at in scene.until_end():
            for client in clients:
                client.socket.sendall(data[at % len(data) :][:1] if at < len(data) else b"")
            sent = min(at + 1, len(data))
            time.sleep(0.02)
    return f"{count} clients that send a call byte by byte, {sent} bytes each", "waited for them"


WRONG = {
    "HTTP/1.1": b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),
    "a wrong preface": b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + frame(4, 0, 0),
    "no SETTINGS": PREFACE + frame(HEADERS, END_HEADERS | END_STREAM, 1, block(path=ADD)),
    "a frame over the limit": PREFACE + frame(4, 0, 0) + b"\xff\xff\xff\0\0\0\0\0\1" + bytes(1000),
    "zeros": bytes(1000),
}


@fault("wrong prefaces", quick=True)
def prefaces(scene):
    closed = count = 0
    for turn in scene.until_end():
        data = list(WRONG.values())[turn % len(WRONG)]
        with connect(scene) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            closed += wait_until_closed([connection], 5)
            count += 1
    assert closed == count, f"{count - closed} of {count} are still open after 5 s"
    return f"{count} connections: {', '.join(WRONG)}", f"closed all {closed}"


def changed(name, value, other):
    return block(path=ADD).replace(field(name, value), field(name, other))


REQUESTS = [
    ("path", lambda: block(path="/calc.Calculator/None")),
    ("path", lambda: block(path="*")),
    ("path", lambda: block(path="")),
    ("path", lambda: block(path=None)),
    ("content-type", lambda: changed("content-type", "application/grpc", "text/html")),
    ("te", lambda: changed("te", "trailers", "gzip")),
    ("method", lambda: changed(":method", "POST", "GET")),
    ("timeout", lambda: block(field("grpc-timeout", "soon"), path=ADD)),
    ("encoding", lambda: block(field("grpc-encoding", "none-such"), path=ADD)),
]


@fault("wrong path, content-type, te, method, timeout, encoding", quick=True)
def requests(scene):
    outcomes, client, count = {}, Raw(scene.target), 0
    for turn in scene.until_end():
        what, header_block = REQUESTS[turn % len(REQUESTS)]
        of, client.next_stream = client.next_stream, client.next_stream + 2
        client.write(frame(HEADERS, END_HEADERS, of, header_block()), frame(DATA, END_STREAM, of, REQUEST))
        outcomes.setdefault(what, set()).add(end_of(client, of))
        count += 1
    client.socket.close()
    did = "; ".join(f"{what}: {', '.join(sorted(got))}" for what, got in outcomes.items())
    return f"{count} such calls on one connection", did


def end_of(client, of):
    """`status N` or `reset N` of a stream."""
    for received in client.frames():
        headers = dict(client.decoder.decode(received.data)) if received.type == HEADERS else {}
        if received.stream_id == of and received.type == RST_STREAM:
            return f"reset {received.error_code}"
        if received.stream_id == of and "grpc-status" in headers:
            return f"status {headers['grpc-status']}"
        if received.stream_id == of and "END_STREAM" in received.flags:
            return f"HTTP {headers.get(':status')}"
    raise AssertionError("the server has closed the connection")
