"""Checks deploy/prometheus and the queries of the dashboard: python tests/python/prometheus.py URL [PROMTOOL].

The metrics page at URL must have every metric that an alert names. promtool reads the files, runs tests/deploy/alerts.yml,
and parses the dashboard's queries.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from checks import PATIENCE
from dashboard import metrics_of
from metrics import fetch, parse

ROOT = pathlib.Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/rules.yml"
DASHBOARD = ROOT / "deploy/grafana/calc.json"


def check_names(page):
    """An alert on a metric that nobody has never fires."""
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    available = {name for name, _ in parse(page)} | {"up"} | {rule["record"] for rule in rules if "record" in rule}
    for rule in rules:
        named = metrics_of(rule["expr"])
        assert named and named <= available, f"not on the page: {named - available}, of {rule}"
    for value in re.findall(r'grpc_code=~"([^"]*)"', RULES.read_text() + DASHBOARD.read_text()):
        for code in value.split("|"):
            assert f'grpc_code="{code}"' in page, code
    tests = (ROOT / "tests/deploy/alerts.yml").read_text()
    for alert in (rule for rule in rules if "alert" in rule):
        assert set(alert["annotations"]) == {"summary", "description"}, alert
        assert alert["labels"]["severity"] in ("page", "ticket"), alert
        assert f'alertname="{alert["alert"]}"' in tests, f"{alert['alert']} has no test"


def dashboard_as_rules():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    # As Grafana fills them in.
    queries = [query.replace("$__rate_interval", "1m") for query in queries]
    return {"groups": [{"name": "dashboard", "rules": [{"record": f"q{i}", "expr": q} for i, q in enumerate(queries)]}]}


def run(*command):
    ran = subprocess.run(command, capture_output=True, text=True, timeout=6 * PATIENCE)
    if ran.returncode:
        sys.exit(f"{command}: {ran.stdout}{ran.stderr}")


def main():
    url, *promtool = sys.argv[1:]
    check_names(fetch(url))
    for program in promtool:
        run(program, "check", "config", ROOT / "deploy/prometheus/prometheus.yml")
        run(program, "test", "rules", ROOT / "tests/deploy/alerts.yml")
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            yaml.safe_dump(dashboard_as_rules(), file)
            file.flush()
            run(program, "check", "rules", file.name)


if __name__ == "__main__":
    main()
