"""Three callers beside a fault, each a process of its own, and what they notice of it."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import threading
import time

from checks import PATIENCE
from servers import wait_until

COUNT = 3
# Calls per second of each.
RATE = 50
# The deadline of a call, in seconds.
TIMEOUT = 10
# So many good calls of each caller, and none that is not, are taken for recovered.
GOOD_CALLS = 25


@dataclasses.dataclass(frozen=True)
class Call:
    number: int
    due: float
    end: float
    connection: str
    status: str

    @property
    def latency(self):
        return self.end - self.due


class Caller:
    def __init__(self, targets, retry, authority):
        script = pathlib.Path(__file__).parent / "caller.py"
        # What this process imports, the caller imports as well.
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        policy = "retry" if retry else "once"
        self.process = subprocess.Popen(
            [sys.executable, script, str(RATE), str(TIMEOUT), policy, authority or "-", *targets],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.calls = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            if not line.endswith("\n"):
                # Cut off when the caller ended.
                break
            number, due, end, connection, status = line.split()
            self.calls.append(Call(int(number), float(due), float(end), connection, status))

    def is_good(self, since, slow):
        """Whether no call is pending that was due before now, and the last ones that were due after `since` are good."""
        calls = list(self.calls)
        if not calls or len(calls) <= max(call.number for call in calls):
            return False
        recent = sorted((call for call in calls if call.due >= since), key=lambda call: call.number)[-GOOD_CALLS:]
        return len(recent) == GOOD_CALLS and all(call.status == "OK" and call.latency < slow for call in recent)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Callers:
    """`authority` is the file of a CA certificate, for TLS; a call that takes `slow` seconds counts as disturbed."""

    def __init__(self, targets, retry, authority, slow):
        self.slow = slow
        self.callers = [Caller(targets, retry, authority) for _ in range(COUNT)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for caller in self.callers:
            caller.stop()

    def wait_until_good(self, since, seconds=PATIENCE):
        return wait_until(lambda: all(caller.is_good(since, self.slow) for caller in self.callers), seconds)

    def recovery(self, end):
        """The time from the fault's end until the last call that failed or was slow had ended; None if it does not end."""
        if not self.wait_until_good(end):
            return None
        disturbed = [call.end for call in self.calls(end) if call.status != "OK" or call.latency >= self.slow]
        return max([0.0, *(at - end for at in disturbed)])

    def calls(self, since):
        """The calls that were in flight at that time or later."""
        return [call for caller in self.callers for call in list(caller.calls) if call.end >= since]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
