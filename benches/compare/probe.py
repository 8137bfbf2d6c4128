"""An ordinary client: a call every few milliseconds, until standard input ends. Then its latencies in ms, as JSON.

    python benches/compare/probe.py TARGET

It is a process of its own, so that nothing that the measuring one does holds it up.
"""

import json
import select
import sys
import time

from http2 import Connection
from process import Failed

INTERVAL_SECONDS = 0.005


def main():
    latencies, failures = [], []
    connection = Connection(sys.argv[1])
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], INTERVAL_SECONDS)[0]:
        start = time.monotonic()
        try:
            connection.add()
            latencies.append((time.monotonic() - start) * 1000)
        except (Failed, OSError) as error:
            failures.append(str(error))
            # A server that takes no connections any more is told by the end of this program.
            connection = Connection(sys.argv[1])
    json.dump({"latencies": latencies, "failures": failures}, sys.stdout)


if __name__ == "__main__":
    main()
