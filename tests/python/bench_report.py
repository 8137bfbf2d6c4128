"""Verifies the sums in a report of `calc bench --format json`, and prints the requested values.

    python tests/python/bench_report.py REPORT PATH...

PATH is plan.rate_per_s, errors.UNAVAILABLE.count and so on; slower_than_ms=N is how many calls took N ms or more.
"""

import json
import sys

FIELDS = {
    "plan", "interrupted", "duration_s", "calls", "succeeded", "succeeded_per_s", "calculations",
    "calculations_per_s", "failed", "errors", "wrong_answers", "not_sent", "unfinished", "warm_up", "latency_us",
    "start_delay_us", "histogram_us",
}
PERCENTILES = ["min", "p50", "p90", "p95", "p99", "p99_9", "p99_99", "max"]


def check(report):
    assert set(report) == FIELDS, set(report) ^ FIELDS
    assert report["calls"] == report["succeeded"] + report["failed"]
    errors = sum(errors["count"] for errors in report["errors"].values())
    assert report["failed"] == errors + report["wrong_answers"]["count"]
    assert report["calculations"] == report["succeeded"] * (report["plan"]["batch_elements"] or 1)
    assert abs(report["succeeded_per_s"] * report["duration_s"] - report["succeeded"]) < 0.001
    for figures in filter(None, (report["latency_us"], report["start_delay_us"])):
        values = [figures[name] for name in PERCENTILES]
        assert values == sorted(values) and values[0] <= figures["mean"] <= values[-1], figures
        assert set(figures) == {*PERCENTILES, "mean"}
    bars = report["histogram_us"]
    assert sum(bar["count"] for bar in bars) == report["succeeded"]
    assert all(bar["to"] == following["from"] for bar, following in zip(bars, bars[1:]))
    assert (report["latency_us"] is None) == (report["succeeded"] == 0)
    if report["plan"]["rate_per_s"] is None:
        assert report["start_delay_us"] is None and report["not_sent"] == 0


def look_up(report, path):
    if path.startswith("slower_than_ms="):
        bound = float(path.partition("=")[2]) * 1000
        return sum(bar["count"] for bar in report["histogram_us"] if bar["from"] >= bound)
    for name in path.split("."):
        report = report[name]
    return report


def refuse_constant(name):
    raise ValueError(f"{name} is no JSON")


report = json.loads(sys.argv[1], parse_constant=refuse_constant)
check(report)
for path in sys.argv[2:]:
    print(json.dumps(look_up(report, path)))
