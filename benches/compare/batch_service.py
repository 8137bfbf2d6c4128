"""The batch service: CPU time per calculation in a stream, and the growth of memory meanwhile."""

import dataclasses
import json
import subprocess

import servers
from process import Failed, cpu_seconds, peak_bytes, settled_bytes

# Calculations per message, and messages in flight, on one connection.
ELEMENTS, STREAMS = 8_192, 4
# The warm-up: flow-control windows grow, and memory is allocated for the first time.
WARM_UP_MESSAGES = 2_000
# The timeout of a run.
SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Batch:
    """Seconds, and bytes."""

    calculations: int
    # The server's CPU time, and the elapsed time.
    cpu: float
    elapsed: float
    # The server's memory after the warm-up and after the run, and its peak.
    before: int
    after: int
    peak: int

    @property
    def cpu_ns(self):
        return self.cpu / self.calculations * 1e9


def measure(server, calculations):
    """Runs that many calculations, rounded up to whole messages; `calc bench` checks every result."""
    messages = -(-calculations // ELEMENTS)
    with server.start() as process:
        target = process.wait_for_target()
        run(target, WARM_UP_MESSAGES)
        before, cpu = settled_bytes(process.pid), sum(cpu_seconds(process.pid))
        elapsed = run(target, messages)
        cpu = sum(cpu_seconds(process.pid)) - cpu
        return Batch(messages * ELEMENTS, cpu, elapsed, before, settled_bytes(process.pid), peak_bytes(process.pid))


def run(target, messages):
    """Sends that many messages, whose results all have to be right. Returns the seconds that they took."""
    command = [str(servers.TARGET / "release/calc"), "bench", "--target", target, "--operation", "divide", "--quiet"]
    command += ["--batch", str(ELEMENTS), "--connections", "1", "--concurrency", str(STREAMS)]
    command += ["--count", str(messages), "--timeout", "30", "--format", "json"]
    try:
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"calc bench did not end within {late.timeout:.0f} s") from late
    if ran.returncode != 0:
        raise Failed(f"calc bench --batch failed: {ran.stderr or ran.stdout}")
    return json.loads(ran.stdout)["duration_s"]
