"""A minimal HTTP/2 client for gRPC calls, so that measurements are of the server.

It does not decode response headers, which would take HPACK's tables: a call succeeded if its data is the reply, because
a failed call has no data.
"""

import select
import socket
import struct
import time

from process import Failed

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
CANCEL = 8

# The timeout of every wait for the server.
PATIENCE_SECONDS = 20

ADD_PATH = "/calc.Calculator/Add"
# 20 + 10, with the five-byte prefix of a gRPC message, and the reply.
ADD_REQUEST = b"\0\0\0\0\x04\x08\x14\x10\x0a"
ADD_REPLY = b"\0\0\0\0\x02\x08\x1e"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A header field as a literal without indexing, without Huffman coding."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def header_block(path, authority):
    """The headers of a request. The first two bytes are entries of the static table: POST and http."""
    fields = [(":path", path), (":authority", authority), ("te", "trailers"), ("content-type", "application/grpc")]
    return b"\x83\x86" + b"".join(literal(name, value) for name, value in fields)


class Connection:
    """A connection to a server."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.headers = header_block(ADD_PATH, target)
        self.received, self.next_stream = bytearray(), 1
        # The maximum, so that replies need no further updates.
        window = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65535))
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0) + window)

    def frames(self):
        """Yields the frames received so far: kind, flags, stream, payload."""
        while len(self.received) >= 9:
            length = int.from_bytes(self.received[:3], "big")
            if len(self.received) < 9 + length:
                return
            kind, flags, stream = struct.unpack(">BBI", self.received[3:9])
            payload = bytes(self.received[9 : 9 + length])
            del self.received[: 9 + length]
            yield kind, flags, stream, payload

    def receive(self):
        """Waits for bytes. Returns False when the server has closed the connection."""
        try:
            data = self.socket.recv(65536)
        except TimeoutError as late:
            raise Failed(f"the server did not answer within {PATIENCE_SECONDS} s") from late
        self.received += data
        return bool(data)

    def wait_for(self, is_it):
        """Reads frames and responds to those that need it, until `is_it` accepts one."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up:
            for kind, flags, stream, payload in self.frames():
                answer = answer_to(kind, flags, payload)
                if answer:
                    self.socket.sendall(answer)
                if kind == GOAWAY:
                    raise Failed(f"the server closes the connection: {goaway_text(payload)}")
                if is_it(kind, flags, stream, payload):
                    return
            if not self.receive():
                raise Failed("the server has closed the connection")
        raise Failed(f"the server did not answer within {PATIENCE_SECONDS} s")

    def settle(self):
        """Waits for the end of the handshake: the acknowledgement of this client's settings."""
        self.wait_for(lambda kind, flags, *_: kind == SETTINGS and flags & ACK)

    def add(self):
        """Calls Add for 20 + 10, checks the reply, and waits for the end of the call."""
        number, self.next_stream = self.next_stream, self.next_stream + 2
        data = bytearray()

        def is_end(kind, flags, stream, payload):
            if stream != number:
                return False
            if kind == DATA:
                data.extend(payload)
            return kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM)

        self.socket.sendall(
            frame(HEADERS, END_HEADERS, number, self.headers) + frame(DATA, END_STREAM, number, ADD_REQUEST)
        )
        self.wait_for(is_end)
        if data != ADD_REPLY:
            raise Failed(f"the answer to 20 + 10 is {bytes(data).hex()!r}, and not {ADD_REPLY.hex()!r}")

    def wait_until_ready(self, write):
        """Waits until the socket is readable or writable. Returns whether it is each."""
        readable, writable, _ = select.select([self.socket], [self.socket] if write else [], [], PATIENCE_SECONDS)
        if not readable and not writable:
            raise Failed(f"the server neither reads nor writes for {PATIENCE_SECONDS} s")
        return bool(readable), bool(writable)

    def close(self):
        self.socket.close()


def answer_to(kind, flags, payload):
    """The frame that a client has to send in response, if any."""
    if kind == SETTINGS and not flags & ACK:
        return frame(SETTINGS, ACK, 0)
    if kind == PING and not flags & ACK:
        return frame(PING, ACK, 0, payload)
    return b""


def goaway_text(payload):
    code = int.from_bytes(payload[4:8], "big")
    return f"error {code} {payload[8:].decode(errors='replace')}".rstrip()
