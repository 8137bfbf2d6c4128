"""Asserts that the language matrix (script/interop) fails for a server or a client with a fault.

python faulty_peers.py CHECK_CLIENT, the program of calc's client.
"""

import os
import pathlib
import sys

TESTS = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(TESTS / "languages"), str(TESTS.parent / "benches/compare")]

import matrix  # noqa: E402
from process import Failed  # noqa: E402


class Peer:
    """A server or a client with this command line."""

    environment = dict(os.environ)

    def __init__(self, *command):
        self.command = self.check_command = lambda: list(command)


def fails(server, client, reason):
    """Asserts that the cell fails, with a reason that contains this one."""
    try:
        matrix.run(server, client, "clear text", {"ca": ""})
    except Failed as failure:
        assert reason in str(failure), failure
    else:
        raise AssertionError(f"it passed; expected {reason}")


def says(lines):
    return Peer(sys.executable, "-c", f"print({lines!r})")


def main(check_client):
    client = Peer(check_client)
    calculators = {
        fault: Peer(sys.executable, str(TESTS / "python/faulty_calculator.py"), fault)
        for fault in ("unavailable", "mixed")
    }
    fails(calculators["unavailable"], client, "in repair")
    # It does not have all methods, and its first sum has the wrong status.
    fails(calculators["mixed"], client, "it passed [] of")
    fails(says("no address"), client, "did not start")
    fails(calculators["mixed"], says("calls errors"), "it passed ['calls', 'errors'] of")
    fails(calculators["mixed"], Peer("false"), "exit code 1")
    passes = says(" ".join(matrix.CHECKS))
    matrix.run(calculators["mixed"], passes, "clear text", {"ca": ""})


if __name__ == "__main__":
    main(*sys.argv[1:])
