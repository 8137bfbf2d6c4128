"""Ordinary clients, which make a call at a fixed interval on a connection each until standard input ends. Prints their
latencies in ms, as JSON.

    python benches/compare/probe.py TARGET

A latency counts from when the call was due, so that a slow reply also delays the calls after it (no coordinated
omission). A call that fails, however soon, counts as PATIENCE_SECONDS. There are several clients, because a server may
assign each connection to one of its threads. They run in a process of their own, so that the measuring process does
not delay them.
"""

import json
import sys
import threading
import time

from connection import PATIENCE_SECONDS, Connection
from process import Failed

CLIENTS = 8
INTERVAL_SECONDS = 0.04


class Client(threading.Thread):
    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.connection = Connection(target)
        self.connection.add()
        self.latencies, self.failures = [], []
        self.ended = threading.Event()

    def run(self):
        due = time.monotonic()
        while not self.ended.wait(max(0.0, due - time.monotonic())):
            is_answered = self.call()
            waited = time.monotonic() - due
            self.latencies.append((waited if is_answered else max(waited, PATIENCE_SECONDS)) * 1000)
            due += INTERVAL_SECONDS
        # Calls that were due and not made.
        now = time.monotonic()
        while due < now:
            self.latencies.append((now - due) * 1000)
            due += INTERVAL_SECONDS

    def call(self):
        """Returns whether the call succeeded."""
        try:
            self.connection = self.connection or Connection(self.target)
            self.connection.add()
            return True
        except (Failed, OSError) as error:
            self.failures.append(str(error))
            if self.connection:
                self.connection.close()
            self.connection = None
            return False


def main():
    clients = [Client(sys.argv[1]) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    print("ready", flush=True)
    sys.stdin.read()
    for client in clients:
        client.ended.set()
    for client in clients:
        client.join(60)
    latencies = [latency for client in clients for latency in client.latencies]
    failures = [failure for client in clients for failure in client.failures]
    json.dump({"latencies": latencies, "failures": failures}, sys.stdout)


if __name__ == "__main__":
    main()
