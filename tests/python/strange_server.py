"""A Calculator whose frames are unusual: python strange_server.py WHAT, one of the functions below.

It replies 30 to each RPC, and serves one connection after another.
"""

import socket
import sys

from hyperframe.frame import HeadersFrame

from hostile_frames import DATA, END_HEADERS, END_STREAM, HEADERS, PADDED, field, frame, message
from http2 import Accepted
from serving import announce

REPLY = message(b"\x08\x1e")
# RFC 7541, appendix A: :status 200.
STATUS = b"\x88"


def padded(connection, stream):
    """Padding in each frame."""
    headers = STATUS + field("content-type", "application/grpc")
    connection.socket.sendall(
        frame(HEADERS, END_HEADERS | PADDED, stream, b"\x05" + headers + bytes(5))
        + frame(DATA, PADDED, stream, b"\xff" + REPLY[:3] + bytes(255))
        + frame(DATA, PADDED, stream, b"\0" + REPLY[3:])
        + frame(DATA, PADDED, stream, b"\x01\0")
        + frame(HEADERS, END_HEADERS | END_STREAM | PADDED, stream, b"\x01" + field("grpc-status", "0") + b"\0")
    )


def ends_twice(connection, stream):
    """As C cores before grpc/grpc#34565."""
    connection.reply(stream, REPLY)
    trailers = connection.encoder.encode({"grpc-status": "4"})
    connection.send(HeadersFrame(stream, trailers, flags=["END_HEADERS", "END_STREAM"]))


def idle(connection, stream):
    """DATA on a stream that nobody has opened."""
    connection.socket.sendall(frame(DATA, 0, stream + 2, REPLY))


def main():
    what = globals()[sys.argv[1]]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        announce(listener.getsockname()[1])
        while True:
            connection = Accepted(listener.accept()[0])
            for stream, _, _ in connection.calls():
                what(connection, stream)


if __name__ == "__main__":
    main()
