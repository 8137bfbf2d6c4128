"""Checks a Grafana dashboard against a metrics page, which must have every metric that the dashboard queries.

    python tests/python/dashboard.py DASHBOARD.json URL
"""

import json
import re
import sys

from metrics import fetch, parse

# Words of a query that are not metrics: functions and keywords.
NOT_METRICS = set("sum count rate increase changes histogram_quantile max min absent by on and or clamp_min le".split())


def metrics_of(query):
    query = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|on)\s*\([^)]*\)|\"[^\"]*\"", " ", query)
    return set(re.findall(r"\b[a-z_][a-z0-9_:]*", query)) - NOT_METRICS


def main():
    path, url = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    assert dashboard["schemaVersion"] >= 38, "Grafana 10 or later"
    assert dashboard["id"] is None and dashboard["title"] and dashboard["uid"]
    [source] = [variable for variable in dashboard["templating"]["list"] if variable["type"] == "datasource"]
    assert source["query"] == "prometheus"

    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = set()
    named = set()
    for panel in panels:
        assert panel["title"] and panel["description"], panel
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            assert x < 24
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in cells, f"{panel['title']} overlaps another panel"
                cells.add((x, y))
        assert panel["targets"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${%s}" % source["name"]}
            metrics = metrics_of(target["expr"])
            assert metrics, target["expr"]
            named |= metrics
    available = {name for name, _ in parse(fetch(url))}
    assert named <= available, f"not on the page: {named - available}"
    print(f"{len(named)} metrics of the dashboard are on the page")


if __name__ == "__main__":
    main()
