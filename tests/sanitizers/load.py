"""Puts `calc serve` under load, for script/sanitize: python load.py PROGRAM SECONDS SHUTDOWNS

`calc bench` runs for SECONDS beside clients that are killed at random. Then SHUTDOWNS servers get SIGTERM under load."""

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request

# The bound on everything that is waited for, in seconds: far more than the server's --grace, because sanitizers are slow.
PATIENCE = 120

CLIENTS = [
    ["--connections=1", "--concurrency=1"],
    ["--connections=8", "--concurrency=25"],
    ["--connections=2", "--batch=1000"],
]


class Server:
    """`calc serve` on free ports."""

    def __init__(self, program):
        command = [program, "serve", "--listen=127.0.0.1:0", "--metrics=127.0.0.1:0", "--grace=60"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.lines, addresses = [], {}
        while len(addresses) < 2:
            line = self.process.stderr.readline() or sys.exit(f"the server does not start:\n{''.join(self.lines)}")
            self.lines.append(line)
            for words in ["listening on ", "metrics on "]:
                if line.startswith(words):
                    addresses[words] = line.removeprefix(words).strip()
        self.target, self.metrics = addresses["listening on "], addresses["metrics on "]
        # A full pipe would stop the server.
        threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True).start()

    def rpcs(self):
        """The RPCs that it has finished."""
        with urllib.request.urlopen(self.metrics, timeout=PATIENCE) as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("grpc_server_handled_total{"))

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        if status != 0:
            sys.exit(f"after SIGTERM the server exited with {status}:\n{''.join(self.lines)}")


def bench(program, server, *arguments):
    command = [program, "bench", f"--target={server.target}", f"--timeout={PATIENCE}", "--quiet", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill_clients(program, seconds):
    server = Server(program)
    client = bench(program, server, "--connections=4", "--concurrency=20", f"--duration={seconds}")
    killed = 0
    while client.poll() is None:
        victim = bench(program, server, f"--duration={PATIENCE}", *random.choice(CLIENTS))
        with contextlib.suppress(subprocess.TimeoutExpired):
            client.wait(random.uniform(0, 3))
        victim.kill()
        victim.communicate()
        killed += 1
    report = client.communicate()[0]
    if client.returncode != 0:
        sys.exit(f"calc bench exited with {client.returncode}:\n{report}")
    rpcs = server.rpcs()
    server.terminate()
    print(f"{rpcs:.0f} RPCs in {seconds} s beside {killed} clients that were killed.")


def terminate_under_load(program, shutdowns):
    longest = 0
    for _ in range(shutdowns):
        server = Server(program)
        client = bench(program, server, "--connections=3", "--concurrency=10", f"--duration={PATIENCE}")
        while server.rpcs() < 100:
            if client.poll() is not None:
                sys.exit(f"calc bench has ended:\n{client.communicate()[0]}")
        time.sleep(random.uniform(0, 0.2))
        begin = time.monotonic()
        server.terminate()
        longest = max(longest, time.monotonic() - begin)
        client.kill()
        client.communicate()
    print(f"{shutdowns} SIGTERMs under load: exit status 0 each time, after {longest:.1f} s at most.")


if __name__ == "__main__":
    PROGRAM, SECONDS, SHUTDOWNS = sys.argv[1:]
    kill_clients(PROGRAM, int(SECONDS))
    terminate_under_load(PROGRAM, int(SHUTDOWNS))
