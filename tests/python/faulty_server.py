"""An HTTP/2 server with a fault, for any gRPC client: python faulty_server.py FAULT, one of the functions below."""

import socket
import struct
import sys
import threading
import time

from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame

from checks import PATIENCE
from http2 import Accepted
from serving import announce

# 30, as a message of calc.AddReply with the five bytes before it.
THIRTY = b"\0\0\0\0\x02\x08\x1e"
REFUSED_STREAM, CANCEL, INTERNAL_ERROR = 7, 8, 2


def no_reply(connection):
    """Takes calls, and acknowledges pings."""
    connection.wait_for_end()


def no_acknowledgement(connection):
    """Takes calls, and reads what the client sends, but acknowledges no ping."""
    connection.acknowledges_pings = False
    connection.wait_for_end()


def reply_after_five_pings(connection):
    pings = 0
    for frame in connection.frames():
        if isinstance(frame, HeadersFrame):
            stream = frame.stream_id
        pings += isinstance(frame, PingFrame) and "ACK" not in frame.flags
        if pings == 5:
            return connection.reply(stream, THIRTY)


def late(connection):
    for stream, _, _ in connection.calls():
        time.sleep(1)
        connection.reply(stream, THIRTY)


def closes_mid_reply(connection):
    for stream, _, _ in connection.calls():
        headers(connection, stream, {":status": "200", "content-type": "application/grpc"})
        connection.send(DataFrame(stream, THIRTY[:4]))
        return


def closes(connection):
    next(connection.calls())


def resets_connection(connection):
    next(connection.calls())
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def goaway(connection):
    """Takes no call."""
    next(connection.calls())
    connection.send(GoAwayFrame(0, last_stream_id=0))
    connection.wait_for_end()


def goaway_before_reply(connection):
    """Takes the call, and replies to it."""
    stream, _, _ = next(connection.calls())
    connection.send(GoAwayFrame(0, last_stream_id=stream))
    connection.reply(stream, THIRTY)
    connection.wait_for_end()


def resets(code):
    def reset(connection):
        for stream, _, _ in connection.calls():
            connection.send(RstStreamFrame(stream, error_code=code))

    return reset


refuses_stream, cancels_stream, fails_stream = resets(REFUSED_STREAM), resets(CANCEL), resets(INTERNAL_ERROR)


def answers(fields, message=b"", trailers=None):
    def answer(connection):
        for stream, _, _ in connection.calls():
            headers(connection, stream, fields, [] if message or trailers else ["END_STREAM"])
            if message:
                connection.send(DataFrame(stream, message, flags=[] if trailers else ["END_STREAM"]))
            if trailers:
                headers(connection, stream, trailers, ["END_STREAM"])

    return answer


def headers(connection, stream, fields, flags=()):
    connection.send(HeadersFrame(stream, connection.encoder.encode(fields), flags=["END_HEADERS", *flags]))


GRPC, OK = {":status": "200", "content-type": "application/grpc"}, {"grpc-status": "0"}
no_status = answers(GRPC, THIRTY)
status_not_a_number = answers(GRPC, THIRTY, {"grpc-status": "fine"})
cut_message = answers(GRPC, b"\0\0\0\0\x64\x08\x1e", OK)
not_a_message = answers(GRPC, b"\0\0\0\0\x02\xff\xff", OK)
two_messages = answers(GRPC, THIRTY + THIRTY, OK)
unknown_compression = answers(GRPC | {"grpc-encoding": "zstd"}, b"\1" + THIRTY[1:], OK)
service_unavailable = answers({":status": "503", "content-type": "text/html"}, b"<h1>try later</h1>")
not_found = answers({":status": "404", "content-type": "text/html"}, b"<h1>not here</h1>")


def says(data):
    def say(connected):
        connected.sendall(data)
        while connected.recv(65536):
            pass

    return say


# These do not speak HTTP/2.
GARBAGE = {
    "ssh": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "http1": says(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"),
    "random": says(bytes(n * 89 % 251 for n in range(4096))),
    "hangs_up": lambda connected: None,
}


def handle(fault, connected):
    connected.settimeout(PATIENCE)
    try:
        GARBAGE[fault](connected) if fault in GARBAGE else globals()[fault](Accepted(connected))
    except (OSError, StopIteration):
        # The client has closed the connection.
        pass
    connected.close()


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    announce(listener.getsockname()[1])
    while True:
        connected, _ = listener.accept()
        threading.Thread(target=handle, args=(sys.argv[1], connected), daemon=True).start()


if __name__ == "__main__":
    main()
