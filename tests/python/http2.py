"""HTTP/2 frame by frame: what no gRPC client sends, and what none shows."""

import contextlib
import socket

import hpack
from hyperframe.frame import DataFrame, Frame, HeadersFrame, PingFrame, SettingsFrame

from checks import PATIENCE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Connection:
    """One end of an HTTP/2 connection."""

    def __init__(self, connected):
        self.socket = connected
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.acknowledges_pings, self.rest = True, b""
        self.unsent = None

    def send(self, frame):
        if self.unsent is None:
            self.socket.sendall(frame.serialize())
        else:
            self.unsent += frame.serialize()

    @contextlib.contextmanager
    def together(self):
        """Sends the frames of the block at its end, in one buffer."""
        self.unsent = bytearray()
        yield
        unsent, self.unsent = self.unsent, None
        self.socket.sendall(unsent)

    def read(self, length):
        while len(self.rest) < length:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError
            self.rest += data
        data, self.rest = self.rest[:length], self.rest[length:]
        return data

    def frames(self):
        """The frames from the peer, until it closes the connection."""
        try:
            while True:
                frame, length = Frame.parse_frame_header(memoryview(self.read(9)))
                frame.parse_body(memoryview(self.read(length)))
                if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
                    self.send(SettingsFrame(0, flags=["ACK"]))
                if isinstance(frame, PingFrame) and "ACK" not in frame.flags and self.acknowledges_pings:
                    self.send(PingFrame(0, frame.opaque_data, flags=["ACK"]))
                yield frame
        except (ConnectionResetError, BrokenPipeError):
            return

    def wait_for(self, kind):
        """The first frame of this kind that is no acknowledgement."""
        for frame in self.frames():
            if isinstance(frame, kind) and "ACK" not in frame.flags:
                return frame
        raise AssertionError(f"the connection was closed without {kind.__name__}")

    def wait_for_end(self):
        """Waits until the peer closes the connection."""
        for _ in self.frames():
            pass


class Http2(Connection):
    """A client that sends what the test asks for, whatever limits the server sets."""

    def __init__(self, target, receive_buffer=None, settings=None):
        host, port = target.rsplit(":", 1)
        super().__init__(socket.socket())
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((host, int(port)))
        self.next_stream = 1
        self.socket.sendall(PREFACE)
        self.send(SettingsFrame(0, settings or {}))

    def open(self, path, **more):
        """Starts an RPC without a message. `more` are further headers, with _ for -."""
        headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost"}
        headers |= {"te": "trailers", "content-type": "application/grpc"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.send(HeadersFrame(stream, self.encoder.encode(headers), flags=["END_HEADERS"]))
        return stream

    def call(self, path, request, **more):
        """Makes a unary RPC; returns its headers and trailers, and its reply with the five bytes before it."""
        stream = self.open(path, **more)
        message = b"\0" + len(request).to_bytes(4, "big") + request
        self.send(DataFrame(stream, message, flags=["END_STREAM"]))
        headers, reply = {}, b""
        for frame in self.frames():
            if isinstance(frame, HeadersFrame):
                headers |= dict(self.decoder.decode(frame.data))
            elif isinstance(frame, DataFrame):
                reply += frame.data
            if frame.stream_id == stream and "END_STREAM" in frame.flags:
                return headers, reply
        raise AssertionError("the connection was closed before the RPC had ended")


class Accepted(Connection):
    """The server's end of a connection from a gRPC client."""

    def __init__(self, connected):
        connected.settimeout(PATIENCE)
        super().__init__(connected)
        assert self.read(len(PREFACE)) == PREFACE
        self.send(SettingsFrame(0))

    def calls(self):
        """Each RPC once its last request has arrived: its stream, its headers and all of its data."""
        headers, data = {}, {}
        for frame in self.frames():
            if isinstance(frame, HeadersFrame):
                assert "END_HEADERS" in frame.flags, frame
                headers[frame.stream_id] = dict(self.decoder.decode(frame.data))
                data[frame.stream_id] = b""
            elif isinstance(frame, DataFrame):
                data[frame.stream_id] += frame.data
            if frame.stream_id and "END_STREAM" in frame.flags:
                yield frame.stream_id, headers.pop(frame.stream_id), data.pop(frame.stream_id)

    def reply(self, stream, message, **more):
        """Replies OK with one message, the five bytes before it included. `more` are further headers, with _ for -."""
        headers = {":status": "200", "content-type": "application/grpc"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        self.send(HeadersFrame(stream, self.encoder.encode(headers), flags=["END_HEADERS"]))
        self.send(DataFrame(stream, message))
        trailers = self.encoder.encode({"grpc-status": "0"})
        self.send(HeadersFrame(stream, trailers, flags=["END_HEADERS", "END_STREAM"]))
