"""Starts `calc serve`, and reads what it takes of its system from /proc."""

import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from checks import PATIENCE
from hostile_frames import peak_memory


def free_port():
    """A port below those that the system gives to clients, so that a server can be started on it again."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Server:
    """A process of `calc serve`."""

    def __init__(self, program, arguments=(), preparation=None, stderr=None):
        """`preparation` runs in the process before the program; `stderr` replaces the file that the log goes to."""
        self.target, metrics = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        self.metrics_url = f"http://{metrics}/metrics"
        self.command = [program, "serve", "--listen", self.target, "--metrics", metrics, *arguments]
        self.preparation, self.stderr, self.log = preparation, stderr, tempfile.TemporaryFile()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log if self.stderr is None else self.stderr,
            preexec_fn=self.preparation,
        )
        line = self.process.stdout.readline()
        assert line == b"Server Start..\n", f"the server does not start: {line} {self.logged()}"

    def logged(self):
        """The log's end."""
        self.log.seek(max(0, self.log.seek(0, os.SEEK_END) - 4000))
        return self.log.read().decode(errors="replace")

    @property
    def is_alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def terminate(self):
        """SIGTERM; returns the exit status."""
        self.signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.is_alive:
            self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.log.close()

    def metric(self, name):
        with urllib.request.urlopen(self.metrics_url, timeout=PATIENCE) as page:
            return sum(
                float(line.rpartition(" ")[2])
                for line in page.read().decode().splitlines()
                if re.match(rf"{name}[ {{]", line)
            )

    # --- What it takes ----------------------------------------------------------------------

    def peak(self):
        return peak_memory(self.process.pid)

    def resident(self):
        return self.status("VmRSS") * 1024

    def threads(self):
        return self.status("Threads")

    def status(self, name):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s*(\d+)", text)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def wait_until(condition, seconds=PATIENCE):
    """Returns whether the condition became true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
