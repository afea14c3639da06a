"""What was measured, and what follows from it: ratios, bars, and whether they were reached. Pure.

Ratios are above 1 where the system is the faster one. A part that was not measured is None and says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

LIMIT_BAR: Final = 0.5
USUAL_BAR: Final = 5.0
GROWTH_BAR: Final = 0.85
MEGABYTES_BAR: Final = 150.0
FLAT: Final = 1.10
"""Memory counts as flat if its highest value in the last stretch is at most this many times that in the first."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """People on their whole way, one stretch of the queue. CPU seconds by process, the rest by service.

    `steps` are seconds in which a batch or the relay was at that step, waiting for an engine included. `megabytes` is the highest
    resident memory of the stretch.
    """

    after: int
    people: int
    seconds: float
    accepted: int
    cpu: Mapping[str, float]
    megabytes: Mapping[str, float]
    steps: Mapping[str, Mapping[str, float]]
    transactions: Mapping[str, int]

    @property
    def per_second(self) -> float:
        return self.people / self.seconds

    @property
    def name(self) -> str:
        return f"{self.after + 1:,}–{self.after + self.people:,}"


@dataclass(frozen=True, slots=True)
class Again:
    """The same people's records and writes, done by something else. CPU seconds by process, transactions or messages by service."""

    people: int
    seconds: float
    cpu: Mapping[str, float]
    counted: Mapping[str, int]

    @property
    def per_second(self) -> float:
        return self.people / self.seconds


@dataclass(frozen=True, slots=True)
class First:
    """Seconds since the start of an installed system on an empty folder."""

    up: float
    offers: float
    accepted: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two stretches of one run, many people between them."""

    early: Stretch
    late: Stretch

    @property
    def ratio(self) -> float:
        return self.late.per_second / self.early.per_second

    @property
    def flatness(self) -> Mapping[str, float]:
        """Highest memory late against early, by service."""
        return {name: self.late.megabytes[name] / early for name, early in self.early.megabytes.items()}


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the bench."""

    machine: Mapping[str, str | float]
    path: Stretch | None = None
    limit: Again | None = None
    usual: Again | None = None
    growth: Sequence[Pair] = ()
    first: First | None = None

    def verdicts(self) -> list[Verdict]:
        """One for each bar that was measured."""
        found: list[Verdict] = []
        if self.path and self.limit:
            ratio = self.path.per_second / self.limit.per_second
            found.append(Verdict("the whole path against the limit", ratio, LIMIT_BAR))
        if self.path and self.usual:
            ratio = self.path.per_second / self.usual.per_second
            found.append(Verdict("the whole path against the usual way", ratio, USUAL_BAR))
        if self.growth:
            early, late = self.growth[0].early.name, self.growth[0].late.name
            ratio = median(pair.ratio for pair in self.growth)
            found.append(Verdict(f"people {late} against people {early}", ratio, GROWTH_BAR))
            for name in self.growth[0].early.megabytes:
                flatness = median(pair.flatness[name] for pair in self.growth)
                highest = max(stretch.megabytes[name] for pair in self.growth for stretch in (pair.early, pair.late))
                found.append(Verdict(f"memory of {name}, late against early", flatness, FLAT, most=True))
                found.append(Verdict(f"memory of {name} in MB", highest, MEGABYTES_BAR, most=True))
        return found

    def to_json(self) -> dict[str, Any]:
        """What was measured, and the verdicts; of what was not asked for, nothing."""
        measured = {name: value for name, value in asdict(self).items() if value}
        rates = {
            name: {**measured[name], "per_second": one.per_second}
            for name, one in (("path", self.path), ("limit", self.limit), ("usual", self.usual))
            if one
        }
        return measured | rates | {"verdicts": [one.to_json() for one in self.verdicts()]}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A value beside its bar: at least that, or `most`: below it or equal."""

    what: str
    value: float
    bar: float
    most: bool = False

    @property
    def reached(self) -> bool:
        return self.value <= self.bar if self.most else self.value >= self.bar

    @property
    def measured(self) -> str:
        return _number(self.value)

    @property
    def demand(self) -> str:
        return f"{'at most' if self.most else 'at least'} {_number(self.bar)}"

    @property
    def sentence(self) -> str:
        return f"{self.what[0].upper()}{self.what[1:]}: {self.measured}, and it has to be {self.demand}."

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "reached": self.reached}


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"


def a_person(one: Stretch | Again) -> dict[str, float]:
    """CPU milliseconds that each process used for a person."""
    return {name: 1000 * seconds / one.people for name, seconds in one.cpu.items()}


def added(path: Stretch, limit: Again) -> dict[str, float]:
    """Where the rest of the limit goes: what a person costs on the whole path beyond the bare loop, in CPU milliseconds by process."""
    bare = a_person(limit)
    return {name: ours - bare.get(name, 0.0) for name, ours in a_person(path).items()}
