"""Compares `calc serve` with other servers of the same contract: CPU time, latency, memory.

    script/bench --help

script/bench installs and builds what this needs. The modules: `servers` builds and starts each server, `load` runs
h2load, `process` reads /proc; `comparison`, `batch_service`, `footprint`, `rapid_reset`, `instructions` and `clients`
are the measurements; `report` and `chart` write the results.
"""

import argparse
import dataclasses
import pathlib
import signal
import sys

import batch_service
import capacity
import chart
import clients
import comparison
import footprint
import instructions
import load
import rapid_reset
import report
import servers
from process import FAULTS

SHAPES = ["1x1", "10x50", "50x20"]
# Enough for a verdict in less than two minutes.
QUICK_SERVERS = ["calc", "grpcio", "tonic"]
# The default, and the minimum for figures in docs/.
ROUNDS = 5


def parse_arguments():
    known = [server.name for server in servers.ALL]
    parser = argparse.ArgumentParser(prog="script/bench", description="Compares `calc serve` with other gRPC servers.")
    quick = "fewer servers and shorter runs: under two minutes once all is built"
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--rounds", type=positive, help=f"rounds of all servers (default: {ROUNDS}; with --quick 3)")
    parser.add_argument("--servers", type=words, help=f"servers to measure, of {','.join(known)}")
    parser.add_argument("--shapes", type=shapes, help=f"CONNECTIONSxSTREAMS,... (default: {','.join(SHAPES)})")
    parser.add_argument("--no-footprint", action="store_true", help="measure only CPU time and latency of unary calls")
    parser.add_argument("--clients", action="store_true", help="measure only the clients")
    parser.add_argument("--output", type=pathlib.Path, help="folder for benchmarks.md and benchmarks.svg")
    arguments = parser.parse_args()
    for name in arguments.servers or []:
        if name not in known:
            parser.error(f"unknown server {name}; choose from {', '.join(known)}")
    return arguments


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def words(text):
    return text.split(",")


def shapes(text):
    return [load.Shape.parse(word) for word in text.split(",")]


def tell(line):
    print(line, flush=True)


def build(wanted):
    """Builds the wanted servers. Returns those that could be built, and the others with the reason."""
    measured, left_out = [], []
    for server in servers.ALL:
        if server.name not in wanted:
            left_out.append((server, "not selected"))
            continue
        try:
            tell(f"building {server.title}")
            server.build()
            measured.append(server)
        except servers.LeftOut as reason:
            left_out.append((server, plain(reason)))
            tell(f"WITHOUT {server.title}: {plain(reason)}")
    return measured, left_out


def plain(reason):
    """The reason, without paths of this machine."""
    return str(reason).replace(str(servers.TARGET), "target").replace(str(servers.ROOT), ".")


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much is measured in addition to the comparison."""

    calculations: int
    starts: int
    attacks: int
    streams: int
    counts: int


def measure_clients(measured, arguments, left_out):
    """Returns the sections of the clients of the servers in `measured`. Appends those that fail to `left_out`."""
    quick = arguments.quick
    if quick and (stub := next(server for server in servers.ALL if server.name == clients.STUB)) not in measured:
        # Compiling it would take too long.
        measured = [*measured, stub] if stub.is_built() else measured
    rounds = arguments.rounds or (3 if quick else ROUNDS)
    figures, failed = clients.measure(measured, rounds, 0.3 if quick else 1.5, 5 if quick else 20, tell)
    left_out += [(client, f"client: {plain(reason)}") for client, reason in failed.items()]
    return report.clients(figures, rounds), report.commands(figures)


def measure(arguments):
    """Measures what the arguments select. Returns the sections of the report, and the chart."""
    quick = arguments.quick
    wanted = arguments.servers or (QUICK_SERVERS if quick else [server.name for server in servers.ALL])
    if arguments.clients:
        wanted = [server.name for server in servers.ALL if server.name in wanted and server.client_title]
    # Other servers are compared with calc.
    measured, left_out = build({"calc", *wanted})
    if arguments.clients:
        sections = measure_clients(measured, arguments, left_out)
        return [*sections, report.names(measured, left_out, load.version())], None
    plan = comparison.Plan(
        rounds=arguments.rounds or (3 if quick else ROUNDS),
        shapes=arguments.shapes or [load.Shape.parse(shape) for shape in SHAPES],
        run_seconds=0.6 if quick else 2.5,
        warm_up_seconds=0.2 if quick else 0.8,
    )
    runs, failed = comparison.measure(measured, plan, tell)
    measured = [server for server in measured if server not in failed]
    left_out += [(server, plain(reason)) for server, reason in failed.items()]
    sections = [report.calls(measured, plan, runs), report.verdicts(measured, plan, runs)]
    if not arguments.no_footprint:
        effort = Effort(calculations=10**9, starts=15, attacks=3, streams=rapid_reset.STREAMS, counts=3)
        if quick:
            effort = Effort(calculations=10**8, starts=5, attacks=1, streams=rapid_reset.STREAMS // 4, counts=1)
        tell(f"batch: {effort.calculations:,} calculations")
        calc = next(server for server in measured if server.name == "calc")
        sections.append(report.batches(batch_service.measure(calc, effort.calculations), runs))
        sections += measure_more([calc] if quick else measured, measured, left_out, effort)
        sections += measure_clients(measured, arguments, left_out)
    sections.append(report.names(measured, left_out, load.version()))
    return sections, chart.svg(measured, plan, runs)


def measure_more(some, measured, left_out, effort):
    """Returns the sections besides the comparison. Appends measurements that fail to `left_out`."""

    def attack(server):
        return rapid_reset.measure(server, effort.streams, effort.attacks)

    footprints = each(some, "at rest", lambda server: footprint.measure(server, effort.starts), left_out)
    attacks = each(some, "rapid reset", attack, left_out)
    why_not, counts = instructions.why_not(), {}
    if not why_not:
        native = [server for server in measured if server.is_native]
        counts = each(native, "instructions", lambda server: instructions.measure(server, effort.counts), left_out)
    return [
        report.footprints(footprints),
        report.resets(attacks),
        report.instruction_counts(counts, why_not),
    ]


def each(measured, what, measurement, left_out):
    """Measures each server in turn. Skips a server whose measurement fails, unless it is calc."""
    figures = {}
    for server in measured:
        tell(f"{what}: {server.title}")
        try:
            figures[server] = measurement(server)
        except FAULTS as error:
            if server.name == "calc":
                raise
            left_out.append((server, f"{what}: {plain(error)}"))
            tell(f"WITHOUT {server.title}: {error}")
    return figures


def output_folder(arguments):
    """The folder for the report: docs/ if the report is complete."""
    is_part = arguments.quick or arguments.servers or arguments.shapes or arguments.no_footprint or arguments.clients
    is_short = (arguments.rounds or ROUNDS) < ROUNDS
    return arguments.output or (None if is_part or is_short else servers.ROOT / "docs")


def main():
    arguments = parse_arguments()
    # Turns the signals into an exit that stops what was started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    # Reads the load average, before this program adds to it.
    beginning = report.head(sys.argv[1:])
    try:
        sections, drawing = measure(arguments)
    except KeyboardInterrupt:
        sys.exit(130)
    except FAULTS as error:
        sys.exit(f"script/bench: {error}")
    body = report.text(sections)
    tell(f"\n{beginning}\n{body}")
    folder = output_folder(arguments)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        picture = "![CPU time per call](benchmarks.svg)\n\n" if drawing else ""
        if drawing:
            folder.joinpath("benchmarks.svg").write_text(drawing)
        folder.joinpath("benchmarks.md").write_text(f"{beginning}\n{picture}{body}")
        tell(f"Written to {folder / 'benchmarks.md'}.")
        if folder == capacity.DOCS:
            capacity.update(check=False)


if __name__ == "__main__":
    main()
