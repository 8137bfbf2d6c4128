"""Reads a metrics page as strictly as Prometheus' own library does, and waits for values.

    python tests/python/metrics.py URL [NAME{LABEL=VALUE,...} NUMBER]...
"""

import collections
import re
import shutil
import subprocess
import sys
import time
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from checks import PATIENCE

CODES = 17
DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]


def fetch(url):
    # Without a proxy, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=PATIENCE) as reply:
        content_type = reply.headers["Content-Type"]
        assert content_type == "text/plain; version=0.0.4; charset=utf-8", content_type
        return reply.read().decode()


def parse(page):
    """Returns the samples of a page by name and labels, after checking its format and consistency."""
    assert page.endswith("\n") and "\r" not in page
    lines = page.splitlines()
    for word in ("HELP", "TYPE"):
        names = [line.split()[2] for line in lines if line.startswith(f"# {word} ")]
        assert len(names) == len(set(names)), f"a second {word}"
    samples = {}
    for family in text_string_to_metric_families(page):
        assert family.documentation, family.name
        assert family.type in ("counter", "gauge", "histogram"), family
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, f"{key} twice"
            assert family.type == "gauge" or sample.value >= 0, sample
            samples[key] = sample.value
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples), family.name
        if family.type == "histogram":
            check_histogram(family)
    check_rpcs(samples)
    return samples


def check_histogram(family):
    series = collections.defaultdict(dict)
    for sample in family.samples:
        labels = {name: value for name, value in sample.labels.items() if name != "le"}
        series[frozenset(labels.items())][(sample.name[len(family.name):], sample.labels.get("le"))] = sample.value
    for values in series.values():
        buckets = [(float(le), value) for (kind, le), value in values.items() if kind == "_bucket"]
        assert buckets == sorted(buckets) and [value for _, value in buckets] == sorted(value for _, value in buckets)
        assert buckets[-1] == (float("inf"), values["_count", None])
        assert ("_sum", None) in values
        assert set(DEFAULT_BUCKETS) <= {le for le, _ in buckets}


def check_rpcs(samples):
    """Checks that every method has every series, and that these are consistent."""
    methods = [labels for name, labels in samples if name == "grpc_server_started_total"]
    for method in methods:
        assert {name for name, _ in method} == {"grpc_type", "grpc_service", "grpc_method"}, method
        handled = [
            value for (name, labels), value in samples.items() if name == "grpc_server_handled_total" and labels > method
        ]
        assert len(handled) == CODES, handled
        started, in_flight = samples["grpc_server_started_total", method], samples["grpc_server_in_flight", method]
        assert started == sum(handled) + in_flight, method
        assert samples["grpc_server_handling_seconds_count", method] >= sum(handled), method
        for name in ("grpc_server_msg_received_total", "grpc_server_msg_sent_total"):
            assert (name, method) in samples, name


def expectation(text):
    name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", text).groups()
    labels = dict(label.split("=") for label in re.split(r",(?=\w+=)", labels)) if labels else {}
    return (name, frozenset(labels.items())), float(value)


def main():
    url, *series = sys.argv[1:]
    expected = dict(map(expectation, series))
    end = time.monotonic() + PATIENCE
    while True:
        page = fetch(url)
        samples = parse(page)
        wrong = {key: samples.get(key) for key, value in expected.items() if samples.get(key) != value}
        if not wrong:
            break
        # A stream is counted as handled shortly after its client sees the status.
        assert time.monotonic() < end, f"not as expected: {wrong}"
        time.sleep(0.05)
    if shutil.which("promtool"):
        subprocess.run(["promtool", "check", "metrics"], input=page.encode(), check=True, timeout=PATIENCE)
    print(f"{len(samples)} samples: the page is right")


if __name__ == "__main__":
    main()
