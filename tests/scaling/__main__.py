"""Three replicas of `calc serve` behind the balancers of deploy/, and with a client that balances itself.

    python tests/scaling PROGRAM [--quick] [--report FILE] [BALANCER...]

PROGRAM is `calc`. The configurations are used as they are, with their ports: script/scaling starts this in a network
namespace of its own. Exits with 1 if a call of a load fails that must not.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import traceback

TESTS = pathlib.Path(__file__).parent.parent
sys.path += [str(TESTS / "python"), str(TESTS / "torture")]
os.environ["GRPC_VERBOSITY"] = "NONE"

from balancers import BALANCERS  # noqa: E402
from cases import CASES  # noqa: E402
from replicas import certificates, replicas  # noqa: E402
from report import page, row  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("balancers", nargs="*")
    arguments = parser.parse_intermixed_args()
    names = arguments.balancers or list(BALANCERS)
    seconds, broken, outcomes = 3 if arguments.quick else 10, [], {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            files = certificates(pathlib.Path(folder))
            with replicas(arguments.program, files) as three, BALANCERS[name](files) as balancer:
                for case in CASES:
                    try:
                        outcome = case(arguments.program, three, balancer, seconds)
                    except Exception:
                        outcome = "FAILED"
                        broken.append(f"{name}: {case.__doc__}")
                        print(f"{traceback.format_exc()}{balancer.logged()}", file=sys.stderr)
                    outcomes[name, case] = outcome
                    print(f"{name}: {row(case.__doc__, outcome)}", flush=True)
    if broken:
        sys.exit("\n".join(broken))
    if arguments.report:
        arguments.report.write_text(page(arguments.report.read_text(), names, CASES, outcomes))


if __name__ == "__main__":
    main()
