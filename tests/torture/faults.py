"""A fault: what is done to a server beside callers, and what must hold meanwhile and afterwards."""

import contextlib
import dataclasses
import time

from callers import Callers, percentile
from checks import PATIENCE
from servers import Server, wait_until

MIB = 1024 * 1024
# The seconds after a fault in which callers must be served as before, and descriptors and threads be back.
RECOVERY = 5
# Connections of callers that come and go, and threads that the C core starts and ends as it likes.
SLACK_DESCRIPTORS, SLACK_THREADS = 6, 4

# Every fault, in the order of the report.
FAULTS = []


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    family: str
    # Does it to a `Scene`; returns what was done, and what the servers did.
    act: object
    # Arguments of `calc serve`.
    arguments: tuple
    replicas: int
    # Of the callers' calls, the minimum that succeeds: on connections that they keep, and on new ones.
    kept: float
    new: float
    # Maximum of the callers' 99th percentile, in seconds, and of the memory that a server takes, in bytes.
    p99: float
    memory: int
    # Keyword arguments of `Server`, made for each.
    process: object
    # Whether a server must report a clean drain when it gets SIGTERM at the end.
    drains: bool
    # Whether it is part of a quick run.
    quick: bool


def fault(
    name,
    arguments=(),
    replicas=1,
    kept=1.0,
    new=1.0,
    p99=0.5,
    memory=100 * MIB,
    process=dict,
    drains=True,
    quick=False,
):
    """Registers a function as a fault."""

    def register(act):
        family = act.__module__
        fault = Fault(name, family, act, tuple(arguments), replicas, kept, new, p99, memory, process, drains, quick)
        FAULTS.append(fault)
        return act

    return register


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a fault is done to."""

    program: str
    servers: list
    # How long what can go on for any time goes on.
    seconds: float
    # How much is done of what is counted: 1, or less in a quick run.
    scale: float

    @property
    def server(self):
        return self.servers[0]

    @property
    def target(self):
        return self.server.target

    def times(self, count):
        return max(1, int(count * self.scale))

    def until_end(self):
        """Yields until the time is up."""
        end, turn = time.monotonic() + self.seconds, 0
        while time.monotonic() < end:
            yield turn
            turn += 1


@dataclasses.dataclass
class Outcome:
    fault: Fault
    done: str = ""
    did: str = ""
    calls: int = 0
    kept: float = 0
    new: float = 0
    p50: float = 0
    p99: float = 0
    peak: int = 0
    recovery: float | None = None
    # The bounds that were broken.
    broken: list = dataclasses.field(default_factory=list)


def succeeded(calls):
    return sum(call.status == "OK" for call in calls) / len(calls) if calls else 1.0


def inflict(fault, program, quick):
    """Starts servers and callers, does the fault, and verifies its bounds."""
    outcome = Outcome(fault)
    # A quick run is part of the tests, which run on busy machines: there only hanging is slow.
    slow = PATIENCE / 4 if quick else 0.5
    with contextlib.ExitStack() as stack:
        servers = []
        for _ in range(fault.replicas):
            servers.append(Server(program, fault.arguments, **fault.process()))
            stack.callback(servers[-1].kill)
        scene = Scene(program, servers, 0.5 if quick else 4, 0.1 if quick else 1)
        authority = dict(zip(fault.arguments, fault.arguments[1:])).get("--tls-cert")
        with Callers([server.target for server in servers], fault.replicas > 1, authority, slow) as callers:
            ready = callers.wait_until_good(0)
            assert ready, f"no replies before the fault: {servers[0].process.poll()} {servers[0].logged()}"
            before = [(server.descriptors(), server.threads()) for server in servers]
            began = time.monotonic()
            outcome.done, outcome.did = fault.act(scene)
            ended = time.monotonic()
            measure(outcome, callers, began, ended)
            check(outcome, servers, before, quick)
        # The fault's log may be elsewhere, and its server another process by now.
        for server in servers:
            if server.is_alive and fault.drains and (status := server.terminate()) != 0:
                outcome.broken.append(f"after SIGTERM a server exits with {status}: {server.logged()}")
    return outcome


def measure(outcome, callers, began, ended):
    outcome.recovery = callers.recovery(ended)
    calls = callers.calls(began)
    outcome.calls = len(calls)
    outcome.kept = succeeded([call for call in calls if call.connection == "kept"])
    outcome.new = succeeded([call for call in calls if call.connection == "new"])
    latencies = [call.latency for call in calls] or [0]
    outcome.p50, outcome.p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    failed = sorted({call.status for call in calls} - {"OK"})
    if failed:
        outcome.did += f"; callers saw {', '.join(failed)}"
    if "WRONG_REPLY" in failed:
        outcome.broken.append("a caller received a wrong reply")


def check(outcome, servers, before, quick):
    fault, broken = outcome.fault, outcome.broken
    if dead := [server for server in servers if not server.is_alive]:
        broken.append(f"a server has died: {dead[0].process.poll()} {dead[0].logged()}")
        return
    outcome.peak = max(server.peak() for server in servers)
    if outcome.recovery is None or outcome.recovery > RECOVERY:
        broken.append(f"callers are not served as before within {RECOVERY} s")
    for what, got, least in (("", outcome.kept, fault.kept), ("new ", outcome.new, fault.new)):
        if got < least:
            broken.append(f"{got:.2%} of the calls on {what or 'kept '}connections succeeded, and not {least:.2%}")
    if not quick and outcome.p99 > fault.p99:
        broken.append(f"the callers' p99 is {outcome.p99 * 1000:.0f} ms, and not at most {fault.p99 * 1000:.0f} ms")
    if outcome.peak > fault.memory:
        broken.append(f"it took {outcome.peak / MIB:.0f} MiB, and not at most {fault.memory / MIB:.0f} MiB")
    for server, (descriptors, threads) in zip(servers, before):
        most = descriptors + SLACK_DESCRIPTORS
        if not wait_until(lambda: server.descriptors() <= most, PATIENCE if quick else RECOVERY):
            broken.append(f"{server.descriptors()} descriptors are open, and {descriptors} were before")
        if not wait_until(lambda: server.threads() <= threads + SLACK_THREADS, PATIENCE if quick else RECOVERY):
            broken.append(f"{server.threads()} threads run, and {threads} did before")
