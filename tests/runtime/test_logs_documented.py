"""What the code can log and measure is what docs/architecture/telemetry.md says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from deploy.embedded.system import SERVICES
from services.runtime.fields import FIELDS
from services.runtime.log_lines import LINES
from services.runtime.metrics import Metrics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture/telemetry.md").read_text()
NOT_FIELDS = {"exception", "traceparent"}


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading, by their first cell."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")
    ]
    return {cells[0].strip("`"): cells[1:] for cells in found}


@cache
def log_calls() -> Sequence[tuple[str, ast.Call]]:
    """Every call of `log` in the services, with its place."""
    return tuple(_log_calls())


def _log_calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log"), attr="debug" | "info" | "warning" | "error")
                ):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node
                case _:
                    pass


def test_every_line_stands_on_the_page_with_its_text_and_what_to_do():
    documented = rows("Log lines")
    for service in SERVICES:
        import_module(f"services.{service}.service")  # which documents lines of its own

    assert {code: cells[0] for code, cells in documented.items()} == LINES
    assert all(cells[1] for cells in documented.values())


def test_every_call_of_the_log_names_a_code_that_is_written_out_and_fields_that_are_allowed():
    wrong = [
        place
        for place, call in log_calls()
        if not (
            call.args
            and isinstance(call.args[0], ast.Constant)
            and re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*", str(call.args[0].value))
            and all(word.arg in FIELDS or word.arg in NOT_FIELDS for word in call.keywords)
        )
    ]

    assert wrong == []


def test_every_code_that_the_runtime_logs_is_documented():
    runtime = [(place, call) for place, call in log_calls() if place.startswith("services/runtime/")]

    assert runtime
    assert [place for place, call in runtime if call.args[0].value not in LINES] == []  # pyright: ignore[reportAttributeAccessIssue]


def test_every_documented_line_is_logged_somewhere():
    """Two of them by the log itself, under their own names: lines of libraries, and lines that nobody documented."""
    logged = {str(call.args[0].value) for _, call in log_calls() if isinstance(call.args[0], ast.Constant)}

    assert set(LINES) - logged == {"library.line", "log.undocumented"}


def test_every_metric_stands_on_the_page_with_its_labels():
    registry = Metrics().registry
    measured: dict[str, list[str]] = {}
    for family in registry.collect():
        if family.name.startswith("wegenetz_"):
            labels: tuple[str, ...] = registry._names_to_collectors[family.name]._labelnames  # pyright: ignore[reportAttributeAccessIssue]
            kind = f"{family.type}: {', '.join(labels)}" if labels else family.type
            measured[family.name] = [kind, family.documentation]

    assert rows("Metrics") == measured


def test_every_field_stands_on_the_page():
    assert set(rows("Fields")) == set(FIELDS)
