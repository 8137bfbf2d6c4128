"""How many machines a rate takes, from the figures of docs/benchmarks.md: python3 benches/compare/capacity.py [--check]

Writes the tables of docs/capacity.md; with --check it fails if they are not up to date. script/bench runs it.
"""

import math
import pathlib
import re
import sys

DOCS = pathlib.Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- benches/compare/capacity.py writes from here -->\n", "<!-- benches/compare/capacity.py writes to here -->\n"

RATES = [1_000, 100_000, 10_000_000]
# Of a machine: its processors, and the share of their time that RPCs may take. The rest is for peaks, the kernel's
# interrupts and a machine that is missing.
PROCESSORS, UTILIZATION = 8, 0.6
# RPCs are in flight for this long, network included, in seconds.
LATENCY = 0.005
# RPCs in flight on a connection (--max-concurrent-streams), and calculations in a message of a batch.
STREAMS, MESSAGE = 100, 8_192
# Load balancers or client processes, each connected to every machine: RPCs or messages a second of each, and their number.
RPCS_OF_A_CLIENT, MESSAGES_OF_A_CLIENT, FEWEST_CLIENTS = 50_000, 5_000, 2
# Dollars for a processor and an hour: a round figure, for comparison.
PRICE = 0.04


def row(text, heading, name):
    """The cells of a row of a table below a heading."""
    section = text.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    [line] = [line for line in section.splitlines() if line.startswith(f"| {name} |")][:1]
    return [cell.strip() for cell in line.strip("|").split("|")]


def number(cell):
    return float(re.match(r"[\d,.]+", cell)[0].replace(",", ""))


def figures(text):
    """CPU of a unary call and of a calculation in a batch, in seconds; memory of a server and of a connection, in bytes."""
    [batch] = [line for line in text.split("## Batch\n", 1)[1].splitlines() if re.match(r"\| [\d,]+ \|", line)][:1]
    rest = row(text, "## At rest", "calc serve")
    return {
        "unary": number(row(text, "### 10 connections × 50 streams", "calc serve")[1]) / 1e6,
        "batch": number(batch.strip("|").split("|")[1].strip()) / 1e9,
        "server": number(rest[1]) * 2**20,
        "connection": number(rest[3]) * 2**10,
    }


def plan(rate, cost, client, size, measured):
    """What a rate takes, of RPCs or calculations that cost this much CPU, in seconds; `size` of them are a message."""
    processors = rate * cost / UTILIZATION
    # At least two, and one more than the load needs.
    machines = max(2, math.ceil(processors / PROCESSORS) + 1)
    queues = max(1, min(PROCESSORS, math.ceil(processors / (machines - 1))))
    clients = max(FEWEST_CLIENTS, math.ceil(rate / size / client))
    in_flight = rate / size / (machines - 1) * LATENCY
    connections = clients * max(1, math.ceil(in_flight / clients / STREAMS))
    memory = measured["server"] + connections * measured["connection"]
    dollars = machines * queues * PRICE * 24 * 30
    return [
        f"{rate:,}",
        f"{rate * cost:,.2g}" if rate * cost >= 0.01 else "under 0.01",
        f"{machines:,}",
        f"{queues}",
        f"{connections:,}",
        f"{connections + 64:,}",
        f"{memory / 2**20:,.0f}",
        f"{dollars:,.0f}",
    ]


def table(first, cost, client, size, measured):
    head = [
        first,
        "processors busy",
        "machines",
        "processors and queues of each",
        "connections of each",
        "file descriptors of each, at least",
        "memory of each, MiB",
        "$ a month",
    ]
    lines = [head, ["---:"] * len(head), *(plan(rate, cost, client, size, measured) for rate in RATES)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def tables(benchmarks):
    measured = figures(benchmarks)
    made = re.search(r"^Made by `script/bench.*`? on (.*)\.$", benchmarks, re.MULTILINE)[1]
    return (
        f"Figures of {made}: {measured['unary'] * 1e6:.1f} µs of CPU for a unary RPC, {measured['batch'] * 1e9:.1f} ns for a\n"
        f"calculation in a batch, {measured['server'] / 2**20:.1f} MiB for a server, {measured['connection'] / 2**10:.1f} KiB for "
        f"a connection.\n\n{table('unary RPCs a second', measured['unary'], RPCS_OF_A_CLIENT, 1, measured)}\n"
        f"{table('calculations a second, in batches', measured['batch'], MESSAGES_OF_A_CLIENT, MESSAGE, measured)}"
    )


def update(check):
    path = DOCS / "capacity.md"
    text = path.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    wanted = before + BEGIN + tables((DOCS / "benchmarks.md").read_text()) + END + after
    if check and text != wanted:
        sys.exit("docs/capacity.md does not follow from docs/benchmarks.md; run python3 benches/compare/capacity.py")
    if not check:
        path.write_text(wanted)


if __name__ == "__main__":
    update("--check" in sys.argv)
