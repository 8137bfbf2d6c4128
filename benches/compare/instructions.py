"""Instructions per call, counted by callgrind: a measure that is free of the machine's noise."""

import pathlib
import re
import shutil
import tempfile

import load
from figures import Spread
from process import Failed, Process

CALLS = 2_000
SHAPE = load.Shape(10, 50)


def why_not():
    """Why instructions cannot be counted here, or None if they can."""
    return None if shutil.which("valgrind") else "valgrind is not installed"


def measure(server, times, calls=CALLS):
    """Instructions per call, from runs of `calls` and twice as many, so that start and shutdown cancel out."""
    return Spread.of([(count(server, 2 * calls) - count(server, calls)) / calls for _ in range(times)])


def count(server, calls):
    """All instructions of a server that serves that many calls."""
    with tempfile.TemporaryDirectory(prefix="calc-bench-") as folder:
        output = pathlib.Path(folder, "callgrind")
        # Valgrind runs one thread at a time. Without fair scheduling a thread that spins, as the C core's do when a
        # server shuts down, can starve the thread that it waits for.
        valgrind = ["valgrind", "--tool=callgrind", "--fair-sched=yes", f"--callgrind-out-file={output}"]
        with Process([*valgrind, *server.command()], server.environment) as process:
            load.run(process.wait_for_target(), SHAPE, calls)
        if not output.is_file():
            raise Failed(f"callgrind has written nothing: {process.output()}")
        return parse_total(output.read_text())


def parse_total(text):
    match = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
    if not match:
        raise Failed("callgrind has written no total")
    return int(match[1])
