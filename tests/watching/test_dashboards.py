"""Dashboards show what the services publish, in panels that say what they show."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.watching import promql
from tests.watching.promtool import find
from tests.watching.test_rules import ROOT, unknown

FILES: Final = sorted((ROOT / "deploy/grafana").glob("*.json"))


def dashboard(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def test_dashboards_and_their_panels_are_told_apart() -> None:
    assert len({dashboard(file)["uid"] for file in FILES}) == len(FILES) > 0
    assert len({dashboard(file)["title"] for file in FILES}) == len(FILES)
    for file in FILES:
        panels = dashboard(file)["panels"]
        assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
        places = [
            (x, y)
            for panel in panels
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(places) == len({*places}), "no panel lies on another"
        assert max(x for x, _ in places) < 24, "Grafana has 24 columns"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dashboard_asks_for_what_the_services_publish(file: Path) -> None:
    for panel in dashboard(file)["panels"]:
        assert panel["targets"]
        assert panel["datasource"]["uid"] == "prometheus", "the data source that deploy/compose provides"
        for target in panel["targets"]:
            assert [*promql.metrics(target["expr"])]
            assert unknown(target["expr"]) == [], panel["title"]


def test_prometheus_can_read_every_expression(tmp_path: Path) -> None:
    """As rules, since promtool reads those without a server."""
    asked = [target["expr"] for file in FILES for panel in dashboard(file)["panels"] for target in panel["targets"]]
    rules = [{"record": f"asked:{number}", "expr": expression} for number, expression in enumerate(asked)]
    file = tmp_path / "asked.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run([find().path, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
