"""Load by h2load: Add requests, with every reply checked."""

import dataclasses
import pathlib
import re
import subprocess
import tempfile

from connection import ADD_PATH, ADD_REPLY, ADD_REQUEST
from figures import percentile
from process import Failed

# The timeout of a run: a millisecond per call, and a minute.
SECONDS_PER_CALL, SECONDS_MORE = 0.001, 60


@dataclasses.dataclass(frozen=True)
class Shape:
    """The number of connections, and of calls in flight on each."""

    connections: int
    streams: int

    @classmethod
    def parse(cls, text):
        match = re.fullmatch(r"([1-9]\d*)[x×]([1-9]\d*)", text)
        if not match:
            raise ValueError(f"{text!r} is not CONNECTIONSxSTREAMS, such as 10x50")
        return cls(int(match[1]), int(match[2]))

    def __str__(self):
        return f"{self.connections}×{self.streams}"

    def round_up(self, calls):
        """The number of calls, rounded up so that each connection makes equally many."""
        return -(-calls // self.connections) * self.connections


@dataclasses.dataclass(frozen=True)
class Summary:
    """The summary that h2load prints."""

    seconds: float
    per_second: float
    succeeded: int
    status_2xx: int
    data_bytes: int


def parse_summary(text):
    finished = re.search(r"^finished in ([\d.]+)(us|ms|s|m|h), ([\d.]+) req/s", text, re.MULTILINE)
    requests = re.search(r"^requests: .* (\d+) succeeded", text, re.MULTILINE)
    statuses = re.search(r"^status codes: (\d+) 2xx", text, re.MULTILINE)
    traffic = re.search(r"^traffic: .*\((\d+)\) data$", text, re.MULTILINE)
    if not (finished and requests and statuses and traffic):
        raise Failed(f"h2load prints something unexpected:\n{text}")
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}[finished[2]]
    return Summary(
        seconds=float(finished[1]) * unit,
        per_second=float(finished[3]),
        succeeded=int(requests[1]),
        status_2xx=int(statuses[1]),
        data_bytes=int(traffic[1]),
    )


def check(summary, calls):
    """Checks that every call succeeded. A failed call has HTTP status 200 too, but no data."""
    expected = calls, calls, calls * len(ADD_REPLY)
    got = summary.succeeded, summary.status_2xx, summary.data_bytes
    if got != expected:
        names = "(succeeded, 2xx, bytes of data)"
        raise Failed(f"not every call of {calls} has succeeded: {names} are {got}, and not {expected}")


def latencies(log):
    """The latencies in h2load's log, in milliseconds, sorted. A line has the start in µs, the status, and µs."""
    return sorted(int(line.split("\t")[2]) / 1000 for line in log.splitlines())


@dataclasses.dataclass(frozen=True)
class Load:
    """The figures of a run in which every call succeeded."""

    calls: int
    per_second: float
    p50_ms: float
    p99_ms: float


def run(target, shape, calls):
    with tempfile.TemporaryDirectory(prefix="calc-bench-") as folder:
        request, log = pathlib.Path(folder, "request"), pathlib.Path(folder, "log")
        request.write_bytes(ADD_REQUEST)
        command = ["h2load", "-t", "1", "-n", str(calls), "-c", str(shape.connections), "-m", str(shape.streams)]
        command += [f"--data={request}", f"--log-file={log}", "-H", "te: trailers"]
        command += ["-H", "content-type: application/grpc", f"http://{target}{ADD_PATH}"]
        try:
            ran = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS_MORE + calls * SECONDS_PER_CALL,
            )
        except subprocess.TimeoutExpired as late:
            raise Failed(f"h2load did not end within {late.timeout:.0f} s") from late
        if ran.returncode != 0:
            raise Failed(f"h2load failed: {ran.stderr or ran.stdout}")
        summary = parse_summary(ran.stdout)
        check(summary, calls)
        ordered = latencies(log.read_text())
    if len(ordered) != calls:
        raise Failed(f"h2load's log has {len(ordered)} calls, not {calls}")
    return Load(calls, summary.per_second, percentile(ordered, 50), percentile(ordered, 99))


def version():
    return subprocess.run(["h2load", "--version"], capture_output=True, text=True, timeout=20).stdout.strip()
