"""Tells a test that waits for a server where it listens, as `calc serve` does."""

import sys


def announce(port):
    print(f"listening on 127.0.0.1:{port}", file=sys.stderr, flush=True)
    print("Server Start..", flush=True)


def serve(server):
    """Serves on a free port, until it is ended from outside."""
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    announce(port)
    server.wait_for_termination()
