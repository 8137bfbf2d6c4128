"""The comparison: CPU time per call of each server and shape of the load, in interleaved rounds."""

import dataclasses
import pathlib
import subprocess
import sys

import load
from figures import Spread, ratios
from process import FAULTS, Failed, cpu_seconds, peak_bytes

# Calls that estimate the CPU time of one, from which the number of calls in a run follows.
FIRST_CALLS = 1_000
# Minimum number of calls in a run, and in one on a server that needs less than FAST_SECONDS of CPU per call.
FEWEST_CALLS, FEWEST_FAST_CALLS, FAST_SECONDS = 2_000, 20_000, 0.000_150


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    shapes: list
    # The server's CPU time in a run, and in the warm-up before it.
    run_seconds: float
    warm_up_seconds: float


@dataclasses.dataclass(frozen=True)
class Run:
    """The figures of a run: µs of CPU per call, calls per second, ms, and bytes."""

    user: float
    system: float
    per_second: float
    p50_ms: float
    p99_ms: float
    peak: int
    calls: int

    @property
    def cpu(self):
        return self.user + self.system

    def __str__(self):
        cpu = f"{self.cpu:7.1f} µs of CPU a call ({self.user:.1f} user, {self.system:.1f} system)"
        return f"{cpu}  {self.per_second:8,.0f} calls/s  p99 {self.p99_ms:.2f} ms"


def measure(servers, plan, tell):
    """Returns the runs by round, for each shape and server's name; and the servers that failed, with the reason.
    A failure of calc is raised, because the other servers are compared with it.
    """
    runs = {(shape, server.name): [] for shape in plan.shapes for server in servers}
    calls, failed = {}, {}
    for number in range(plan.rounds):
        # The order rotates: the first server of a round is the last of the next.
        start = number % len(servers)
        for shape in plan.shapes:
            for server in servers[start:] + servers[:start]:
                if server in failed:
                    continue
                key = shape, server.name
                try:
                    with server.start() as process:
                        run, calls[key] = measure_once(process, shape, plan, calls.get(key))
                except FAULTS as error:
                    if server.name == "calc":
                        raise
                    failed[server] = str(error)
                    tell(f"WITHOUT {server.title}: {error}")
                    continue
                runs[key].append(run)
                tell(f"round {number + 1} of {plan.rounds}  {shape!s:>6}  {server.name:<7}{run}")
    names = {server.name for server in failed}
    return {key: of for key, of in runs.items() if key[1] not in names}, failed


def measure_once(process, shape, plan, calls):
    """One run on a server that has just started. Returns it with its number of calls, the same in every round."""
    target = process.wait_for_target()
    check_replies(target)
    first = cost_of(process, target, shape, shape.round_up(FIRST_CALLS))
    warm_up = min(plan.warm_up_seconds / first, 10 * FEWEST_FAST_CALLS)
    cost = cost_of(process, target, shape, shape.round_up(int(max(warm_up, FIRST_CALLS))))
    if calls is None:
        fewest = FEWEST_FAST_CALLS if cost < FAST_SECONDS else FEWEST_CALLS
        calls = shape.round_up(int(max(plan.run_seconds / cost, min(fewest, 2 * plan.run_seconds / cost))))
    user, system = cpu_seconds(process.pid)
    loaded = load.run(target, shape, calls)
    if not process.is_running():
        raise Failed(f"the server exited: {process.output()}")
    user_then, system_then = cpu_seconds(process.pid)
    return Run(
        user=(user_then - user) / calls * 1e6,
        system=(system_then - system) / calls * 1e6,
        per_second=loaded.per_second,
        p50_ms=loaded.p50_ms,
        p99_ms=loaded.p99_ms,
        peak=peak_bytes(process.pid),
        calls=calls,
    ), calls


def cost_of(process, target, shape, calls):
    """The CPU time of a call, in seconds; at least one tick in all, so never 0."""
    before = sum(cpu_seconds(process.pid))
    load.run(target, shape, calls)
    return max(sum(cpu_seconds(process.pid)) - before, 0.01) / calls


def check_replies(target):
    program = pathlib.Path(__file__).parent / "replies.py"
    ran = subprocess.run(
        [sys.executable, str(program), target], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    if ran.returncode != 0:
        raise Failed(f"wrong reply: {ran.stderr.strip()}")


def cpu_ratio(runs, shape, peer):
    """The ratios of calc's CPU time to a peer's, round by round."""
    return ratios([run.cpu for run in runs[shape, "calc"]], [run.cpu for run in runs[shape, peer]])


def spread(runs, name):
    return Spread.of(getattr(run, name) for run in runs)
