"""The process of a server: starts and stops it, and reads its CPU time and memory from /proc."""

import collections
import contextlib
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time

PROC = pathlib.Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")

# How long a server may take to start, and to stop after SIGTERM.
START_SECONDS, END_SECONDS = 60, 20


class Failed(Exception):
    """A measurement failed, and why."""


# The exceptions by which a measurement fails because of the server or the system.
FAULTS = Failed, OSError, subprocess.SubprocessError


class Process:
    """A program that prints `listening on HOST:PORT`. As a context manager, it stops the program at the end."""

    def __init__(self, command, environment=None):
        self.command = command
        self.began = time.monotonic()
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=server_environment() | (environment or {}),
        )
        self.lines = queue.Queue()
        self.last = collections.deque(maxlen=20)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            line = line.decode(errors="replace").rstrip()
            self.last.append(line)
            self.lines.put(line)
        self.lines.put(None)

    def wait_for_target(self):
        """Waits until the program listens, and returns the address."""
        give_up = self.began + START_SECONDS
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, give_up - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise Failed(f"{self.command[0]} did not start: {self.output()}")
            _, found, target = line.partition("listening on ")
            if found:
                return target

    def output(self):
        return " | ".join(self.last) or "it printed nothing"

    @property
    def pid(self):
        return self.child.pid

    def is_running(self):
        return self.child.poll() is None

    def stop(self):
        """Sends SIGTERM, and SIGKILL if that is not enough."""
        if self.is_running():
            self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(END_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        except BaseException:
            # Interrupted while it waited.
            with contextlib.suppress(OSError):
                self.child.kill()
            raise


def server_environment():
    """This process's environment, without the variables that configure calc."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CALC_")}


def family(pid):
    """The process and its descendants."""
    pids = [pid]
    for parent in pids:
        for task in PROC.glob(f"{parent}/task/*/children"):
            with contextlib.suppress(OSError):
                pids += [int(child) for child in task.read_text().split()]
    return pids


def cpu_seconds(pid):
    """The user and system CPU time of a process and its descendants, including those that ended."""
    user = system = 0
    for member in family(pid):
        utime, stime, cutime, cstime = stat_times(PROC.joinpath(f"{member}/stat").read_text())
        user += utime + cutime
        system += stime + cstime
    return user / TICKS, system / TICKS


def stat_times(stat):
    """utime, stime, cutime and cstime of /proc/PID/stat, in ticks."""
    # The name may contain spaces and brackets.
    fields = stat.rpartition(")")[2].split()
    return [int(field) for field in fields[11:15]]


def resident_bytes(pid):
    """The resident memory now."""
    return sum(kilobytes(PROC.joinpath(f"{member}/smaps_rollup").read_text(), "Rss:") for member in family(pid))


def peak_bytes(pid):
    """The peak of the resident memory since the start."""
    return sum(kilobytes(PROC.joinpath(f"{member}/status").read_text(), "VmHWM:") for member in family(pid))


def kilobytes(text, name):
    """The bytes in a line such as `VmHWM:    9000 kB`."""
    for line in text.splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise Failed(f"no {name} in {text!r}")


def settled_bytes(pid):
    """The resident memory once two readings are equal, or after 10 s."""
    give_up, before = time.monotonic() + 10, None
    while True:
        now = resident_bytes(pid)
        if now == before or time.monotonic() > give_up:
            return now
        before = now
        time.sleep(0.5)
