"""Calls from Python's gRPC, all of which must succeed: `with Load(...)`. As a program, it makes them."""

import itertools
import subprocess
import sys
import threading

PATIENCE = 60
ADD = "/calc.Calculator/Add"
# 20 + 10
REQUEST, REPLY = b"\x08\x14\x10\x0a", b"\x08\x1e"

# As docs/client.md has it, for clients that are not ours.
CONFIG = """{
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{"name": [{"service": "calc.Calculator"}], "retryPolicy": {
    "maxAttempts": 5, "initialBackoff": "0.2s", "maxBackoff": "2s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]}"""


class Load:
    """Calls in the container's network, until the end of the block."""

    def __init__(self, container, targets, ca):
        self.command = container.network(sys.executable, __file__, ca, *targets)

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def wait_for_calls(self, count):
        """Waits for this many more calls."""
        for _ in range(count // 100):
            line = self.process.stdout.readline()
            assert line == "100\n", f"calls have failed: {line}{self.process.stdout.read()}"

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        status = self.process.wait(PATIENCE)
        assert kind or (status == 0 and set(rest.split()) <= {"100"}), f"calls have failed: {rest}"


def main(ca, *targets):
    import grpc

    with open(ca, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    # Of several addresses none is the name.
    options = [("grpc.service_config", CONFIG), ("grpc.ssl_target_name_override", "localhost")]
    with grpc.secure_channel("ipv4:" + ",".join(targets), credentials, options) as channel:
        add = channel.unary_unary(ADD)
        for count in itertools.count(1):
            if over.is_set():
                return
            reply = add(REQUEST, timeout=PATIENCE)
            assert reply == REPLY, reply
            if count % 100 == 0:
                print(100, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
