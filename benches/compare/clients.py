"""The clients: CPU time and latency of their calls, all to the same server; and programs that make one call.

A client program (benches/client and benches/peers) makes warm-up calls, prints `ready`, waits for a line, makes the
measured calls, prints `done`, waits for a line, and prints the median and the 99th percentile of the latencies in µs.
Its CPU time is read between the two, here, for all in the same way. It checks every reply.
"""

import contextlib
import dataclasses
import os
import subprocess
import threading
import time

import servers
from figures import ratios
from process import FAULTS, Failed, cpu_seconds, server_environment

# Calls in flight, all on one channel.
IN_FLIGHT = [1, 50]
# Calls that estimate the CPU time of one, from which the number of calls in a run follows.
FIRST_CALLS = 2_000
# The timeout of a program.
PATIENCE_SECONDS = 120
# The client that the others are compared with.
STUB = "cpp"


@dataclasses.dataclass(frozen=True, eq=False)
class Client:
    """A client program: the arguments TARGET IN_FLIGHT CALLS follow its command."""

    name: str
    title: str
    command: list
    environment: dict | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Once:
    """A command that calculates 20 + 10 in one call; `target` makes its last argument of the server's address."""

    name: str
    title: str
    command: list
    environment: dict | None = None
    target: str = "{}"


@dataclasses.dataclass(frozen=True)
class Run:
    """The figures of a run: µs of CPU per call, calls per second, µs, and the number of calls."""

    user: float
    system: float
    per_second: float
    p50: float
    p99: float
    calls: int

    @property
    def cpu(self):
        return self.user + self.system

    def __str__(self):
        cpu = f"{self.cpu:7.1f} µs of CPU a call ({self.user:.1f} user, {self.system:.1f} system)"
        return f"{cpu}  p50 {self.p50:,.0f} µs  p99 {self.p99:,.0f} µs"


@dataclasses.dataclass(frozen=True)
class OnceRun:
    """The figures of a program that made one call, in ms: from exec to exit, and its CPU time."""

    wall: float
    cpu: float


@dataclasses.dataclass(frozen=True)
class Measured:
    """What was measured: the server, the runs by client and calls in flight, and those of the programs."""

    server: servers.Server
    clients: list
    runs: dict
    commands: list
    once: dict


def of(built):
    """Returns the client programs and the one-call programs of the servers that were built."""
    ours = str(servers.TARGET / "release/bench-client")
    clients = [
        Client("blocking", "calc, blocking", [ours, "blocking"]),
        Client("async", "calc, asynchronous", [ours, "async"]),
    ]
    calc = [str(servers.TARGET / "release/calc"), "add", "20", "10"]
    commands = [Once("calc", "calc add", calc, target="--target={}")]
    for server in built:
        if command := server.client_command():
            clients.append(Client(server.name, server.client_title, command, server.environment))
            commands.append(Once(server.name, server.client_title, command, server.environment))
    return clients, commands


def measure(built, rounds, run_seconds, starts, tell):
    """Measures the clients in interleaved rounds. Returns the figures, and the clients that failed with the reason.
    A failure of ours is raised.
    """
    # Without C++ it is the first, ours.
    server = next((server for server in built if server.name == STUB), built[0])
    clients, commands = of(built)
    failed = {}
    with server.start() as process:
        target = process.wait_for_target()

        def measure_run(in_flight, client, before):
            return run(client, target, in_flight, before, run_seconds)

        def measure_once(_in_flight, command, _before):
            return run_once(command, target)

        pairs = [(in_flight, client) for in_flight in IN_FLIGHT for client in clients]
        runs = interleave(pairs, rounds, failed, tell, measure_run)
        once = interleave([(1, command) for command in commands], starts, failed, None, measure_once)
        if not process.is_running():
            raise Failed(f"the server exited: {process.output()}")
    left = [client for client in clients if client not in failed]
    left_commands = [command for command in commands if command not in failed]
    runs = {(in_flight, client.name): of for (in_flight, client), of in runs.items()}
    once = {command.name: of for (_, command), of in once.items()}
    return Measured(server, left, runs, left_commands, once), failed


def interleave(keys, rounds, failed, tell, measurement):
    """Measures each key, calls in flight and a program, in each round, in an order that rotates. Returns the runs by
    key, without those that failed.
    """
    runs = {key: [] for key in keys}
    for number in range(rounds):
        start = number % len(keys)
        for key in keys[start:] + keys[:start]:
            in_flight, client = key
            if client in failed:
                continue
            try:
                runs[key].append(measurement(in_flight, client, runs[key][-1] if runs[key] else None))
            except FAULTS as error:
                if client.command[0].startswith(str(servers.TARGET / "release")):
                    raise
                failed[client] = str(error)
                continue
            if tell:
                tell(f"round {number + 1} of {rounds}  {in_flight:>3} in flight  {client.name:<9}{runs[key][-1]}")
    return {key: of for key, of in runs.items() if key[1] not in failed}


def run(client, target, in_flight, before, seconds):
    """A run of about `seconds` of CPU time; of as many calls as `before`, the run in the previous round."""
    if before:
        return run_calls(client, target, in_flight, before.calls)
    first = run_calls(client, target, in_flight, FIRST_CALLS)
    # No run takes more than four times as long, because of a client that waits more than it works.
    cost = max(first.cpu / 1e6, 1 / first.per_second / 4)
    return run_calls(client, target, in_flight, max(FIRST_CALLS, int(seconds / cost)))


def run_calls(client, target, in_flight, calls):
    calls = -(-calls // in_flight) * in_flight
    with program(client, [target, str(in_flight), str(calls)]) as (child, line):
        expect("ready", line())
        user, system = cpu_seconds(child.pid)
        began = time.monotonic()
        proceed(child)
        expect("done", line())
        elapsed = time.monotonic() - began
        user_then, system_then = cpu_seconds(child.pid)
        proceed(child)
        p50, p99 = latencies(line())
        if child.wait(PATIENCE_SECONDS) != 0:
            raise Failed(f"{client.command[0]} exited with status {child.returncode}")
    each = 1e6 / calls
    # At least one tick in all, so never 0.
    user, system = user_then - user, max(system_then - system, 0.01)
    return Run(user * each, system * each, calls / elapsed, p50, p99, calls)


@contextlib.contextmanager
def program(client, arguments):
    """Starts a client program. Yields its process, and a function that reads a line of its output."""
    child = subprocess.Popen(
        [*client.command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=server_environment() | (client.environment or {}),
    )
    watchdog = threading.Timer(PATIENCE_SECONDS, child.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield child, child.stdout.readline
    finally:
        watchdog.cancel()
        child.kill()
        child.communicate()


def latencies(line):
    try:
        p50, p99 = map(float, line.split())
    except ValueError as error:
        raise Failed(f"a client printed {line.strip()!r}, and not two latencies") from error
    return p50, p99


def expect(word, line):
    if line != f"{word}\n":
        raise Failed(f"a client printed {line.strip()!r}, and not {word!r}")


def proceed(child):
    child.stdin.write("\n")
    child.stdin.flush()


def run_once(command, target):
    arguments = [*command.command, command.target.format(target)]
    environment = server_environment() | (command.environment or {})
    began = time.monotonic()
    child = subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    )
    # Its own deadline is 5 s.
    output = child.stdout.read()
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0 or output.strip() != b"30":
        raise Failed(f"{' '.join(arguments)} printed {output!r} and exited with status {child.returncode}")
    return OnceRun(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000)


def cpu_ratio(measured, in_flight, name):
    """The ratios of a client's CPU time to that of the C++ stub, round by round; None without the stub."""
    stub = measured.runs.get((in_flight, STUB))
    return stub and ratios([run.cpu for run in measured.runs[in_flight, name]], [run.cpu for run in stub])
