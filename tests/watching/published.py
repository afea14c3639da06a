"""Every metric that a service can publish, with its labels and the bounds of its buckets, read from the code that makes it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

import services
from services.runtime.metrics import DAYS

SERVICES: Final = ("intake", "profiling", "referral", "reporting")
CODE: Final = Path(services.__file__).parent
MAKERS: Final = ("counter", "counters", "gauge", "gauges", "histogram", "histograms")


@dataclass(frozen=True)
class Published:
    labels: frozenset[str]
    bounds: tuple[float, ...] = ()


def published() -> dict[str, Published]:
    """By the name under which Prometheus has it: `wegenetz_records_total`, `wegenetz_batch_seconds_bucket`, …"""
    found: dict[str, Published] = {}
    for file in CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node) in MAKERS and isinstance(node.args[0], ast.Constant):
                found |= _made(_called(node), node, file)
    for service in SERVICES:
        for time in import_module(f"services.{service}.service").SERVICE.logic.times:
            found |= _histogram(f"wegenetz_{time.name}_seconds", frozenset(), tuple(map(float, DAYS)))
    return found


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _made(maker: str, call: ast.Call, file: Path) -> dict[str, Published]:
    name, _, *rest = call.args
    assert isinstance(name, ast.Constant)
    called = f"wegenetz_{name.value}"
    labels = frozenset(str(one.value) for one in rest if isinstance(one, ast.Constant))
    if maker.startswith("counter"):
        return {f"{called}_total": Published(labels)}
    if maker.startswith("gauge"):
        return {called: Published(labels)}
    module = import_module(".".join(("services", *file.relative_to(CODE).with_suffix("").parts)))
    (bounds,) = (getattr(module, one.id) for one in rest if isinstance(one, ast.Name))
    return _histogram(called, labels, tuple(map(float, bounds)))


def _histogram(name: str, labels: frozenset[str], bounds: tuple[float, ...]) -> dict[str, Published]:
    plain = Published(labels)
    return {f"{name}_bucket": Published(labels | {"le"}, bounds), f"{name}_count": plain, f"{name}_sum": plain}
