"""The report, as Markdown: its head, and a section for each measurement.

A section is a title and lines. A new measurement gets a function here that makes a section of its figures, and is
called from `__main__.py`.
"""

import dataclasses
import datetime
import statistics
import textwrap

import batch_service
import clients as client_programs
import comparison
import footprint
import instructions
import machine
import probe
import rapid_reset
from figures import Spread

MIB, KIB = 2**20, 2**10

# Targets of `calc serve`.
IDLE_MIB, CONNECTION_KIB, FIRST_CALL_MS, RESET_MIB, RESET_P99_MS = 15, 20, 60, 100, 100
# Maximum ratio of its CPU time per call to that of other servers, with several calls in flight.
RATIOS = {"grpcio": 0.65, "cpp": 0.95, "tonic": 1.0, "go": 0.5, "python": 0.04}
# Minimum number of batch calculations in the CPU time of a unary call; maximum growth of the memory meanwhile.
BATCH_TIMES, BATCH_MIB = 100, 1
# Maximum ratio of the blocking client's CPU time per call, one at a time, to that of the C++ stub.
BLOCKING_RATIO = 1.1


PREMISES = """
The load generator and the servers share this machine and communicate over loopback. Every reply is checked: before each
run a few replies and errors are compared byte by byte, and in a run every call has to succeed with a reply of the right
size. `calc serve` runs as in production, with metrics, reflection, health and limits. The other servers are minimal.
Plain grpcio uses the C core as that crate compiles it; calc uses it patched (patches/grpc/).
"""

CALLS = """
Each figure is the median of {rounds}, with minimum and maximum in brackets. Each round starts, warms up and loads every
server in turn, in an order that rotates from round to round. CPU is the server's CPU time, of all its threads. Calls
per second, p50 and p99 are measured by the load generator, which competes with the server for the same cores: compare
servers by their CPU per call. “calc needs” is calc's CPU per call divided by that server's, round by round: 0.80
means that calc needs 20 % less, 1.25 that it needs 25 % more.
"""

BATCH = """
`calc bench --batch` sends divisions on {streams} streams of one connection, {elements:,} per message, and checks every
result. Memory is the resident set after a warm-up, after the run, and its peak.
"""

AT_REST = """
Memory is the resident set, without the kernel's socket buffers. The memory of a connection is the average of
{connections:,}. The time to the first reply is from exec to the reply of a call on a new connection.
"""

RAPID_RESET = """
A client opens {streams:,} streams and resets each at once (CVE-2023-44487), on a new connection whenever the server
closes one: {attacks}, each on a new server. p99 and the maximum are latencies of {clients} other clients with a
connection each, which make a call every {interval:.0f} ms. A latency includes the wait for the previous call of that
client; a failed call counts as {patience} s.
"""

INSTRUCTIONS = """
Instructions that callgrind counts in the server's process per call of Add ({shape}): the difference between runs of
{calls:,} and {twice:,} calls, divided by the number of calls. Kernel instructions are not included. Only servers that
are compiled to machine code are measured.
"""

CLIENTS = """
Each client calls Add on {server}, on one channel, with every reply checked: one call at a time, and {in_flight} in
flight. CPU is the client's own, of all its threads and after a warm-up; the client measures the latencies. Medians of
{rounds}, with minimum and maximum in brackets, in an order that rotates from round to round. calc's blocking client, the
C++ stub and Python's client block: {in_flight} calls in flight are {in_flight} threads. The others have {in_flight} tasks
on their runtime's threads; calc's asynchronous client runs them on the thread that receives the replies
(`Channel::spawn`). “to the C++ stub” is the CPU per call divided by that of C++'s synchronous stub, round by round.
`script/bench --clients` measures this section alone.
"""

COMMANDS = """
A program that makes one call of Add on a new connection and prints the result, from exec to exit: `calc add 20 10`, and
the same with the other clients. CPU is user and system time, with exec and exit. Medians of {starts}, in turn.
"""


@dataclasses.dataclass(frozen=True)
class Section:
    title: str
    lines: list


def text(sections):
    """The whole report."""
    return "\n".join(f"## {section.title}\n\n" + "\n".join(section.lines) + "\n" for section in sections)


def paragraph(text):
    """Wraps a text at 120 characters."""
    return textwrap.wrap(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def table(head, rows, others="---:"):
    """A table; its first column is text, the others are numbers by default."""
    lines = [head, ["---"] + [others] * (len(head) - 1), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def head(arguments):
    """The title, the command, and the machine."""
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
    """The comparison: tables for each shape of the load."""
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
    """Where calc needs more CPU time than other servers, and where less."""
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
    """The batch service, compared with the cheapest unary calls of the same report."""
    unary = min(Spread.of(run.cpu for run in of).median for (_, name), of in runs.items() if name == "calc")
    head = ["calculations", "CPU per calculation, ns", "calculations/s", "memory before, MiB", "after", "peak"]
    per_second = measured.calculations / measured.elapsed
    memory = [f"{value / MIB:.1f}" for value in (measured.before, measured.after, measured.peak)]
    times = unary * 1000 / measured.cpu_ns
    row = [f"{measured.calculations:,}", f"{measured.cpu_ns:.1f}", f"{per_second:,.0f}", *memory]
    lines = [
        *paragraph(BATCH.format(streams=batch_service.STREAMS, elements=batch_service.ELEMENTS)),
        "",
        *table(head, [row]),
        "",
        target("batch calculations in the CPU time of a unary call", times, BATCH_TIMES, "times", at_least=True),
        target("growth of the memory", (measured.after - measured.before) / MIB, BATCH_MIB, "MiB"),
    ]
    return Section("Batch", lines)


def footprints(measured):
    """Memory and start-up time, by server."""
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
        "exec to first reply, ms",
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
        target("exec to the first reply", ours.first_call.median, FIRST_CALL_MS, "ms"),
    ]
    return Section("At rest", lines)


def resets(measured):
    """Rapid reset, by server."""
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
            remarks.append(f"- {server.title} closes the attacker's connections: {last.goaway or 'without GOAWAY'}.")
        if failures:
            reason = statistics.mode(failures)
            remarks.append(f"- {server.title} fails calls of other clients, most often with: {reason}.")
    head = ["server", "streams", "connections", "s", "peak memory, MiB", "p99, ms", "max, ms", "failed calls"]
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
        "`calc serve`, in its worst attack:",
        "",
        target("peak memory", max(one.peak for one in ours) / MIB, RESET_MIB, "MiB"),
        target("p99 of the other clients", max(one.p99_ms for one in ours), RESET_P99_MS, "ms"),
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


def clients(measured, rounds):
    """The clients: a table for each number of calls in flight."""
    most = max(client_programs.IN_FLIGHT)
    server = f"the server “{measured.server.title}”"
    lines = paragraph(CLIENTS.format(server=server, in_flight=most, rounds=plural(rounds, "round")))
    for in_flight in client_programs.IN_FLIGHT:
        lines += ["", f"### {plural(in_flight, 'call')} in flight", ""]
        rows = []
        for client in measured.clients:
            runs = measured.runs[in_flight, client.name]
            ratio = client_programs.cpu_ratio(measured, in_flight, client.name)
            ratio = "1" if client.name == client_programs.STUB else ratio.text(2) if ratio else "not measured"
            columns = [(name, 1) for name in ("cpu", "user", "system")], [("p50", 0), ("p99", 0), ("per_second", 0)]
            cost, rest = [[comparison.spread(runs, name).text(digits) for name, digits in half] for half in columns]
            rows.append([client.title, *cost, ratio, *rest])
        head = ["client", "CPU per call, µs", "user", "system", "to the C++ stub", "p50, µs", "p99, µs", "calls/s"]
        lines += table(head, rows)
    if ratio := client_programs.cpu_ratio(measured, 1, "blocking"):
        what = "CPU per call of the blocking client to that of the C++ stub, one call at a time"
        lines += ["", target(what, ratio.median, BLOCKING_RATIO, "", digits=2)]
    return Section("Clients", lines)


def commands(measured):
    """The programs that make one call."""
    rows, starts = [], 0
    for command in measured.commands:
        runs = measured.once[command.name]
        starts = len(runs)
        rows.append([command.title, *(comparison.spread(runs, name).text(1) for name in ("wall", "cpu"))])
    lines = table(["program", "exec to exit, ms", "CPU, ms"], rows)
    return Section("One call from the command line", [*paragraph(COMMANDS.format(starts=starts)), "", *lines])


def target(what, value, limit, unit, at_least=False, digits=1):
    verdict = "met" if (value >= limit if at_least else value <= limit) else "**missed**"
    bound, unit = "at least" if at_least else "at most", f" {unit}" if unit else ""
    return f"- {what}: {value:,.{digits}f}{unit}; the target is {bound} {limit}{unit}: {verdict}."
