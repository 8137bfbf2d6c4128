"""The report, as Markdown: its head, and a section for each thing that was measured.

A section is a title and lines. Whoever measures something more writes a function that makes one of its figures, and
adds it to the list in `__main__.py`.
"""

import dataclasses
import datetime
import statistics
import textwrap

import batch_service
import comparison
import footprint
import instructions
import machine
import probe
import rapid_reset
from figures import Spread

MIB, KIB = 2**20, 2**10

# What `calc serve` is to keep to.
IDLE_MIB, CONNECTION_KIB, FIRST_CALL_MS, RESET_MIB, RESET_P99_MS = 15, 20, 60, 100, 100
# Its CPU time per call to that of others, for calls that are many at once.
RATIOS = {"grpcio": 0.65, "cpp": 0.95, "tonic": 1.0, "go": 0.5, "python": 0.04}
# Calculations in a stream to unary ones, in the same CPU time; and what memory may grow by meanwhile.
BATCH_TIMES, BATCH_MIB = 100, 1


PREMISES = """
The load generator and the servers share this machine, and talk over loopback. Every reply is checked: before each run
a handful of calls are compared to the byte, errors too, and in a run every call has to succeed and to bring as many
bytes as the right reply. `calc serve` has all that it has in production: metrics, reflection, health, limits. The
others are the plainest servers of their kind; the plain grpcio server has the C core as that crate compiles it, calc
has it mended (cmake/mend.cmake).
"""

CALLS = """
Each figure is the median of {rounds}, with the least and the most in brackets. In each round every server is started
anew, warmed up and loaded in its turn; which one is first changes from round to round. CPU is the server's own, of all
its threads. Calls per second, p50 and p99 are what the load generator sees while it takes its share of the same cores,
so that the CPU of a call is the figure to compare. “calc needs” is our CPU per call divided by that server's, round by
round: 0.80 means that calc needs 20 % less, 1.25 that it needs 25 % more.
"""

BATCH = """
`calc bench --batch` divides on {streams} streams of one connection, in messages of {elements:,} calculations, and
checks every result. The memory is what is resident after a warm-up, and after all of it.
"""

AT_REST = """
Memory is what is resident; what the kernel has for sockets is not in it. The memory of a connection is of one of
{connections:,}. The time to the first answer is from before the program is started to the right reply on a new
connection.
"""

RAPID_RESET = """
A client opens {streams:,} streams and resets each at once (CVE-2023-44487), over one connection for as long as the
server keeps it, and then over another: {attacks}, each on a new server. p99 and the longest time are those of {clients}
other clients, with connections of their own, each of which wants to make a call every {interval:.0f} ms meanwhile; a
call that has to wait for the one before waits as well, and one that fails counts as {patience} s.
"""

INSTRUCTIONS = """
What callgrind counts in the server's process for a call of Add ({shape}): the difference between runs of {calls:,} and
{twice:,} calls, by the number of calls. The kernel's share is not in it. Only programs of machine code are counted.
"""


@dataclasses.dataclass(frozen=True)
class Section:
    title: str
    lines: list


def text(sections):
    """The whole report."""
    return "\n".join(f"## {section.title}\n\n" + "\n".join(section.lines) + "\n" for section in sections)


def paragraph(text):
    """Lines that are not too long."""
    return textwrap.wrap(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def table(head, rows, others="---:"):
    """A table, whose first column is text and whose others are numbers unless told otherwise."""
    lines = [head, ["---"] + [others] * (len(head) - 1), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def head(arguments):
    """The title, what made the report, and on what."""
    command = " ".join(["script/bench", *arguments])
    now = datetime.datetime.now(datetime.timezone.utc)
    lines = ["# Benchmarks", "", f"Made by `{command}` on {now:%Y-%m-%d, %H:%M} UTC.", ""]
    lines += [f"- {line}" for line in machine.lines()]
    return "\n".join([*lines, "", *paragraph(PREMISES), ""])


def names(servers, left_out, load_generator):
    rows = [[server.title, server.versions()] for server in servers]
    lines = table(["server", "versions"], rows, others="---")
    lines += ["", f"Load generator: {load_generator}."]
    if left_out:
        lines += ["", "Not measured:", "", *(f"- {server.title}: {reason}." for server, reason in left_out)]
    return Section("Servers", lines)


def calls(servers, plan, runs):
    """The comparison: a table for each shape of the load."""
    lines = paragraph(CALLS.format(rounds=plural(plan.rounds, "round")))
    for shape in plan.shapes:
        lines += ["", f"### {plural(shape.connections, 'connection')} × {plural(shape.streams, 'stream')}", ""]
        cost, load = [], []
        for server in servers:
            of = runs[shape, server.name]

            def column(name, digits, of=of, unit=1):
                return Spread.of(getattr(run, name) / unit for run in of).text(digits)

            ratio = "1" if server.name == "calc" else comparison.cpu_ratio(runs, shape, server.name).text(2)
            cost.append([server.title, column("cpu", 1), column("user", 1), column("system", 1), ratio])
            latencies = [column("p50_ms", 2), column("p99_ms", 2)]
            peak = column("peak", 1, unit=MIB)
            load.append([server.title, column("per_second", 0), *latencies, peak, f"{of[0].calls:,}"])
        lines += table(["server", "CPU per call, µs", "user", "system", "calc needs"], cost)
        lines += ["", *table(["server", "calls/s", "p50, ms", "p99, ms", "peak memory, MiB", "calls in a run"], load)]
    return Section("Unary calls", lines)


def plural(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def verdicts(servers, plan, runs):
    """Where calc needs more than others, and where less."""
    more, same, less = [], [], []
    for shape in plan.shapes:
        for server in servers:
            if server.name == "calc":
                continue
            ratio = comparison.cpu_ratio(runs, shape, server.name)
            line = f"{server.title}, {shape}: {ratio.text(2)}"
            (more if ratio.least > 1 else less if ratio.most < 1 else same).append(line)
    lines = []
    for title, found in (
        ("calc needs **more** CPU per call than these, in every round:", more),
        ("No clear difference: more in some rounds, less in others:", same),
        ("calc needs less CPU per call than these, in every round:", less),
    ):
        lines += [title, "", *(f"- {line}" for line in found or ["none"]), ""]
    many = [shape for shape in plan.shapes if shape.streams > 1]
    kept = [
        target(f"CPU per call to that of {server.title}, {shape}", ratio, RATIOS[server.name], "", digits=3)
        for shape in many
        for server in servers
        if server.name in RATIOS
        for ratio in [comparison.cpu_ratio(runs, shape, server.name).median]
    ]
    return Section("Where calc stands", [*lines, *kept] if kept else lines[:-1])


def batches(measured, runs):
    """The batch service, and how it compares with the cheapest unary calls of the same run."""
    unary = min(Spread.of(run.cpu for run in of).median for (_, name), of in runs.items() if name == "calc")
    head = ["calculations", "CPU per calculation, ns", "calculations/s", "memory before, MiB", "after", "at most"]
    per_second = measured.calculations / measured.elapsed
    memory = [f"{value / MIB:.1f}" for value in (measured.before, measured.after, measured.peak)]
    times = unary * 1000 / measured.cpu_ns
    row = [f"{measured.calculations:,}", f"{measured.cpu_ns:.1f}", f"{per_second:,.0f}", *memory]
    lines = [
        *paragraph(BATCH.format(streams=batch_service.STREAMS, elements=batch_service.ELEMENTS)),
        "",
        *table(head, [row]),
        "",
        target("calculations to unary ones in the same CPU time", times, BATCH_TIMES, "times", at_least=True),
        target("growth of the memory", (measured.after - measured.before) / MIB, BATCH_MIB, "MiB"),
    ]
    return Section("Batch", lines)


def footprints(measured):
    """Of calc and of others: figures by server."""
    rows = [
        [
            server.title,
            f"{figures.idle / MIB:.1f}",
            f"{figures.connection / KIB:.1f}",
            f"{figures.connection_after_call / KIB:.1f}",
            figures.first_call.text(1),
        ]
        for server, figures in measured.items()
    ]
    head = [
        "server",
        "memory at rest, MiB",
        "an idle connection, KiB",
        "… after a call, KiB",
        "exec to first answer, ms",
    ]
    ours = next(figures for server, figures in measured.items() if server.name == "calc")
    lines = [
        *paragraph(AT_REST.format(connections=footprint.CONNECTIONS)),
        "",
        *table(head, rows),
        "",
        "`calc serve`:",
        "",
        target("memory at rest", ours.idle / MIB, IDLE_MIB, "MiB"),
        target("an idle connection", max(ours.connection, ours.connection_after_call) / KIB, CONNECTION_KIB, "KiB"),
        target("exec to the first answer", ours.first_call.median, FIRST_CALL_MS, "ms"),
    ]
    return Section("At rest", lines)


def resets(measured):
    """The worst of each server's attacks."""
    rows, remarks = [], []
    for server, attacks in measured.items():
        last = attacks[-1].attack
        failures = [failure for one in attacks for failure in one.failures]
        rows.append(
            [
                server.title,
                f"{min(one.attack.streams for one in attacks):,}",
                f"{max(one.attack.connections for one in attacks):,}",
                Spread.of(one.attack.seconds for one in attacks).text(1),
                Spread.of(one.peak / MIB for one in attacks).text(1),
                Spread.of(one.p99_ms for one in attacks).text(1),
                f"{max(one.most_ms for one in attacks):,.1f}",
                f"{len(failures):,} of {sum(one.calls for one in attacks):,}",
            ]
        )
        if last.connections > 1:
            remarks.append(f"- {server.title} closes the attacker's connections: {last.goaway or 'without a word'}.")
        if failures:
            remarks.append(f"- {server.title} fails others' calls, most of them so: {statistics.mode(failures)}.")
    head = ["server", "streams", "connections", "s", "peak memory, MiB", "p99, ms", "longest, ms", "calls that failed"]
    ours = next(attacks for server, attacks in measured.items() if server.name == "calc")
    most = max(one.attack.streams for one in ours)
    explained = RAPID_RESET.format(
        streams=most,
        attacks=plural(len(ours), "attack"),
        clients=probe.CLIENTS,
        interval=probe.INTERVAL_SECONDS * 1000,
        patience=probe.PATIENCE_SECONDS,
    )
    lines = [
        *paragraph(explained),
        "",
        *table(head, rows),
        *([""] if remarks else []),
        *remarks,
        "",
        "`calc serve`, at its worst:",
        "",
        target("peak memory", max(one.peak for one in ours) / MIB, RESET_MIB, "MiB"),
        target("the other clients' p99", max(one.p99_ms for one in ours), RESET_P99_MS, "ms"),
    ]
    if most < rapid_reset.STREAMS:
        lines += ["", f"The targets are for {rapid_reset.STREAMS:,} streams."]
    return Section("Rapid reset", lines)


def instruction_counts(measured, not_measured):
    calls = instructions.CALLS
    lines = paragraph(INSTRUCTIONS.format(shape=instructions.SHAPE, calls=calls, twice=2 * calls))
    if measured:
        ours = next((count.median for server, count in measured.items() if server.name == "calc"), None)
        rows = [
            [server.title, count.text(0), f"{ours / count.median:.2f}" if ours else "?"]
            for server, count in measured.items()
        ]
        lines += ["", *table(["server", "instructions per call", "calc needs"], rows)]
    if not_measured:
        lines += ["", f"Not counted: {not_measured}."]
    return Section("Instructions", lines)


def target(what, value, limit, unit, at_least=False, digits=1):
    verdict = "met" if (value >= limit if at_least else value <= limit) else "**missed**"
    bound, unit = "at least" if at_least else "at most", f" {unit}" if unit else ""
    return f"- {what}: {value:,.{digits}f}{unit}; the target is {bound} {limit}{unit}: {verdict}."
