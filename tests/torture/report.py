"""The outcomes as text, and as a page of the documentation."""

import os
import platform

from callers import COUNT, RATE
from faults import MIB, RECOVERY

HEAD = f"""# Faults

What `calc serve` does when its clients, its system or its operators harm it, and what other callers notice. Written by

    script/torture

which fails if a server dies, a reply is wrong, a server does not drain after SIGTERM, or a bound of `tests/torture/` on
success, p99, memory or recovery is broken. `script/test` runs a short version.

Each fault is done to a new server, beside {COUNT} callers in processes of their own, each with {RATE} checked calls a
second; every tenth call opens a connection. p50 and p99 are theirs, of every call in flight from the fault's begin until
the recovery, failed ones included, counted from when the call was due. *kept* and *new* are the fractions of calls that succeeded on connections that
the callers keep, and on new ones. *peak* is the maximum of the server's resident memory since its start. *recovery* is the
time from the fault's end until the last call that failed or took 0.5 s had ended, at most {RECOVERY} s; within {RECOVERY} s the
descriptors and threads are back, too. Where a bound was broken, the last section says so.
"""


def machine():
    with open("/proc/cpuinfo") as info:
        models = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    return f"{os.cpu_count()} × {models[0] if models else platform.machine()}, Linux {platform.release().split('-')[0]}"


def percent(share):
    # Not 100 if a call failed.
    return "100" if share == 1 else f"{min(share * 100, 99.99):.2f}"


def row(outcome):
    recovery = "none" if outcome.recovery is None else f"{outcome.recovery:.1f}"
    return [
        outcome.fault.name,
        outcome.done,
        outcome.did,
        percent(outcome.kept),
        percent(outcome.new),
        f"{outcome.p50 * 1000:.1f}",
        f"{outcome.p99 * 1000:.0f}",
        f"{outcome.peak / MIB:.0f}",
        recovery,
    ]


def line(outcome):
    name, done, did, kept, new, p50, p99, peak, recovery = row(outcome)
    figures = f"kept {kept} %, new {new} %, p50 {p50} ms, p99 {p99} ms, peak {peak} MiB, recovery {recovery} s"
    return "\n    ".join([name, done, did, figures, *(f"BROKEN: {each}" for each in outcome.broken)])


def page(outcomes):
    text = HEAD + f"\nMeasured on {machine()}, which the callers and the attackers share with the server.\n"
    family = None
    for outcome in outcomes:
        if outcome.fault.family != family:
            family = outcome.fault.family
            text += f"\n## {family.capitalize()}\n\n"
            text += "| fault | what was done | what the server did | kept, % | new, % | p50, ms | p99, ms | peak, MiB | recovery, s |\n"
            text += "|---|---|---|---|---|---|---|---|---|\n"
        text += f"| {' | '.join(cell.replace('|', '/') for cell in row(outcome))} |\n"
    if broken := [f"- {outcome.fault.name}: {each}\n" for outcome in outcomes for each in outcome.broken]:
        text += "\n## Broken bounds\n\n" + "".join(broken)
    return text
