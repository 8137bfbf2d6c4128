"""Instructions of one call, counted by callgrind: a measure without the machine's noise."""

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
    """Why there can be no such count here, if so."""
    return None if shutil.which("valgrind") else "valgrind is not installed"


def measure(server, times, calls=CALLS):
    """Instructions per call: what twice as many calls take more, so that the start and the end do not count."""
    return Spread.of([(count(server, 2 * calls) - count(server, calls)) / calls for _ in range(times)])


def count(server, calls):
    """All instructions of a server that answers that many calls."""
    with tempfile.TemporaryDirectory(prefix="calc-bench-") as folder:
        output = pathlib.Path(folder, "callgrind")
        # Valgrind runs one thread at a time. Unless they take turns, one that waits for another by trying again and
        # again, as the C core's do when a server ends, may keep the other from it for long.
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
