"""Ten million calls with connections that come and go: memory, descriptors and threads stay flat."""

import json
import subprocess

from faults import MIB, fault

CALLS, PART = 10_000_000, 500_000
# What the allocator may keep after the first part, in bytes.
GROWTH = 16 * MIB


def bench(scene, *arguments):
    command = [scene.program, "bench", "--target", scene.target, "--quiet", "--format=json", "--timeout=20", *arguments]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    report = json.loads(output)
    assert report["failed"] == 0 and report["unfinished"] == 0, output
    return report["succeeded"]


@fault("soak", p99=1.0)
def soak(scene):
    calls = connections = 0
    after = []
    while calls < scene.times(CALLS):
        # Connections of these come and go with each part; the callers' with each tenth call.
        calls += bench(scene, "--connections=10", "--concurrency=50", f"--count={PART}")
        connections += 10
        after.append(scene.server.resident())
    growth = after[-1] - after[0]
    assert growth <= GROWTH, f"memory grew by {growth / MIB:.1f} MiB: {[size // MIB for size in after]}"
    done = f"{calls:,} checked calls with `calc bench`, on {connections} connections in turn"
    return done, f"lost none; resident {after[0] / MIB:.1f} MiB after the first part, {after[-1] / MIB:.1f} after the last"
