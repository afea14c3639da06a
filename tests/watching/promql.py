"""As much of PromQL as it takes to say which metrics an expression asks for, and by which labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

OF_PROMETHEUS: Final = frozenset({"job", "service", "instance"})
"""Labels that Prometheus gives to whatever it collects; deploy/compose and deploy/kubernetes say how."""

_METRIC: Final = re.compile(r"\b(wegenetz[_:][\w:]+|up|process_\w+)(?:\s*\{([^}]*)\})?")
_LABEL: Final = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"")
_GROUPED: Final = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")


def metrics(expression: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each metric with what it is asked for: (`wegenetz_records_total`, {"result": "dead"})."""
    for name, selected in _METRIC.findall(expression):
        yield name, dict(_LABEL.findall(selected))


def grouped(expression: str) -> set[str]:
    """The labels that results are told apart by."""
    return {label.strip() for labels in _GROUPED.findall(expression) for label in labels.split(",") if label.strip()}
