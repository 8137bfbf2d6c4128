"""Does faults to `calc serve` under load, one after the other.

    python tests/torture PROGRAM [--quick] [--report FILE] [NAME...]

PROGRAM is `calc`. NAMEs are parts of faults' names, or their families: replicas, resources, floods, connections, soak.
Exits with 1 if a bound is broken.
"""

import argparse
import os
import pathlib
import sys
import traceback

# The clients of these processes do not log what the server does to them.
os.environ["GRPC_VERBOSITY"] = "NONE"
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

import connections  # noqa: E402, F401 each registers its faults, in the order of the report
import floods  # noqa: E402, F401
import replicas  # noqa: E402, F401
import resources  # noqa: E402, F401
import soak  # noqa: E402, F401
from faults import FAULTS, Outcome, inflict  # noqa: E402
from report import line, page  # noqa: E402

ORDER = ["replicas", "resources", "floods", "connections", "soak"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--report")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_intermixed_args()
    is_chosen = lambda fault: any(name == fault.family or name in fault.name for name in arguments.names)
    chosen = [
        fault
        for family in ORDER
        for fault in FAULTS
        if fault.family == family and (is_chosen(fault) or not arguments.names) and (fault.quick or not arguments.quick)
    ]
    if not chosen:
        parser.error("no fault has this name")
    outcomes = []
    for fault in chosen:
        try:
            outcome = inflict(fault, arguments.program, arguments.quick)
        except Exception:
            outcome = Outcome(fault, broken=[traceback.format_exc()])
        outcomes.append(outcome)
        print(line(outcome), flush=True)
    if arguments.report:
        pathlib.Path(arguments.report).write_text(page(outcomes))
    broken = [outcome for outcome in outcomes if outcome.broken]
    if broken:
        sys.exit("broken bounds: " + "; ".join(outcome.fault.name for outcome in broken))


if __name__ == "__main__":
    main()
