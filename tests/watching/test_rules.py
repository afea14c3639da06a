"""Somebody is called when they must be and not otherwise: every rule rests on what the services publish, and is tried with promtool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client.utils import floatToGoString

from tests.watching import promql
from tests.watching.promtool import find
from tests.watching.published import published

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "deploy/prometheus"
RULES: Final = sorted((FOLDER / "rules").glob("*.yaml"))
TRIED: Final = sorted((FOLDER / "tests").glob("*.yaml"))
PUBLISHED: Final = published()


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for file in RULES
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def alerts() -> list[str]:
    return [rule["alert"] for rule in rules() if "alert" in rule]


RECORDED: Final = {rule["record"] for rule in rules() if "record" in rule}


def unknown(expression: str) -> list[str]:
    """What an expression asks for that nobody publishes."""
    problems: list[str] = []
    known = set(promql.OF_PROMETHEUS)
    for name, selected in promql.metrics(expression):
        if name in RECORDED or name == "up" or name.startswith("process_"):
            known |= {"county"}
            continue
        metric = PUBLISHED.get(name)
        if metric is None:
            problems.append(f"nobody publishes {name}")
            continue
        known |= metric.labels
        problems += [f"{name} has no label {label}" for label in selected if label not in known]
        if "le" in selected and selected["le"] not in {floatToGoString(bound) for bound in metric.bounds}:
            problems.append(f"{name} has no bucket le={selected['le']}")
    return problems + [f"nothing here has the label {label}" for label in promql.grouped(expression) - known]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_for_what_the_services_publish(rule: dict[str, Any]) -> None:
    assert [*promql.metrics(rule["expr"])]
    assert unknown(rule["expr"]) == []


def test_what_nobody_publishes_is_found() -> None:
    assert unknown("rate(wegenetz_recrods_total[5m])") == ["nobody publishes wegenetz_recrods_total"]
    assert unknown('wegenetz_records_total{county="03459"}') == ["wegenetz_records_total has no label county"]
    assert unknown('wegenetz_rounds_to_first_offer_bucket{le="4.0"}') == [
        "wegenetz_rounds_to_first_offer_bucket has no bucket le=4.0"
    ]
    assert unknown("sum by (topic) (wegenetz_outbox_documents)") == ["nothing here has the label topic"]


def test_every_alert_has_a_severity_a_sentence_and_its_place_in_the_runbook() -> None:
    assert len(alerts()) == len({*alerts()})
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert rule["annotations"]["summary"].endswith(".")
            assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_every_alert_is_tried_both_ways() -> None:
    """In some case it fires, and in another of the same file none does (promtool compares all that fire)."""
    for file in TRIED:
        text = file.read_text(encoding="utf-8")
        named = {*re.findall(r'alertname="(\w+)"\}\', value', text)}
        of_the_file = {rule["alert"] for rule in rules_of(file) if "alert" in rule}
        assert named == of_the_file, file.name
        assert "exp_samples: []" in text
    assert {file.name for file in TRIED} == {file.name for file in RULES}


def rules_of(tried: Path) -> list[dict[str, Any]]:
    found = yaml.safe_load((FOLDER / "rules" / tried.name).read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("file", TRIED, ids=lambda file: file.stem)
def test_alerts_fire_when_they_must_and_not_otherwise(file: Path) -> None:
    done = subprocess.run([find().path, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_every_rule() -> None:
    command = [find().path, "check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
