"""What was measured, and what follows from it: ratios, bars, and whether they were reached. Pure.

Ratios are above 1 where the system is the faster one. A part that was not measured is None and says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import Any, Final

from tests.bench.planned import Planning
from tests.bench.solving import Solving

DRIVER: Final = "driver"
"""The bench's own process: offices, counsellors and partners. It shares the machine with what it measures."""
LIMIT_BAR: Final = 0.5
USUAL_BAR: Final = 5.0
GROWTH_BAR: Final = 0.85
MEGABYTES_BAR: Final = 150.0
SOLVER_BAR: Final = 3.0
"""How many times the bare solver's time a round may take, at `SOLVER_PEOPLE` needs."""
SOLVER_PEOPLE: Final = 10_000
HINDSIGHT_BARS: Final[Mapping[str, float]] = {"ordinary": 0.88}
HINDSIGHT_BAR: Final = 0.87
"""The share of what hindsight would have reached, on average; in years that are not ordinary a little less."""
LOOKING_AHEAD: Final = "the same, by scarcity"
DAILY: Final = "optimum each day"
FIRST_COME: Final = "first come, first served"
"""Policies by the names that `online.policies` gives them."""
PROMPT_ROUNDS: Final = 2
"""So many rounds may 99 of 100 needs wait for their first offer, when there is a place for all."""
QUIET: Final = 0.05
"""Up to this share of the cores' time may go to other machines of the same host; what was measured with more says little."""
UNWATCHED: Final = "nothing"
METRICS: Final = "metrics"
DISCARDED: Final = "metrics, and traces that a collector discards"
CONSOLE: Final = "metrics, and traces that the console keeps"
WATCHED_BARS: Final[Mapping[str, tuple[str, float]]] = {
    METRICS: (UNWATCHED, 0.03),
    DISCARDED: (METRICS, 0.10),
    CONSOLE: (METRICS, 0.30),
}
"""How much of the path's throughput each way of watching may cost, and beside which other."""
PAGE_BAR: Final = 5.0
"""How many times an empty page's time each of the console's may take."""
FLAT: Final = 1.10
"""Memory counts as flat if its highest value in the last stretch is at most this many times that in the first."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """People on their whole way, one stretch of the queue. CPU seconds by process, the rest by service.

    `steps` are seconds in which a batch or the relay was at that step, waiting for an engine included. `megabytes` is the highest
    resident memory of the stretch. `stolen`: the share of the cores' time that the host gave to others meanwhile.
    """

    after: int
    people: int
    seconds: float
    accepted: int
    cpu: Mapping[str, float]
    megabytes: Mapping[str, float]
    steps: Mapping[str, Mapping[str, float]]
    transactions: Mapping[str, int]
    stolen: float = 0.0
    offers: Offers | None = None

    @property
    def per_second(self) -> float:
        return self.people / self.seconds


@dataclass(frozen=True, slots=True)
class Offers:
    """How soon needs were offered a place, in rounds: for each number of rounds, how many needs had to wait at most that long. `rounds`
    ran meanwhile, `seconds` long together. A round begins at most once a second."""

    within: Mapping[float, int]
    needs: int
    rounds: int
    seconds: float

    @property
    def prompt(self) -> float:
        """The share of needs that had their first offer in the first round or the next."""
        return self.within[float(PROMPT_ROUNDS)] / self.needs if self.needs else 1.0

    @property
    def p99(self) -> float:
        """So many rounds at most for 99 of 100 needs; infinite beyond what is counted."""
        return next((rounds for rounds, some in sorted(self.within.items()) if some >= 0.99 * self.needs), math.inf)


@dataclass(frozen=True, slots=True)
class Again:
    """The same people's records and writes, done by something else. CPU seconds by process, transactions or messages by service."""

    people: int
    seconds: float
    cpu: Mapping[str, float]
    counted: Mapping[str, int]
    stolen: float = 0.0

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
class Round:
    """The same people on the whole path, and what they left done again, one right after the other."""

    path: Stretch | None = None
    limit: Again | None = None
    usual: Again | None = None
    first: First | None = None

    @property
    def of_limit(self) -> float | None:
        return self.path.per_second / self.limit.per_second if self.path and self.limit else None

    @property
    def of_usual(self) -> float | None:
        return self.path.per_second / self.usual.per_second if self.path and self.usual else None


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many people of one queue, measured in parts, so that a minute in which the machine was not ours can be left out."""

    parts: Sequence[Stretch]

    @property
    def per_second(self) -> float:
        """The median of the parts in which the machine was ours, or of all if there are none."""
        quiet = [part for part in self.parts if part.stolen <= QUIET]
        return median(part.per_second for part in quiet or self.parts)

    @property
    def quiet(self) -> int:
        """In how many parts the machine was ours."""
        return sum(part.stolen <= QUIET for part in self.parts)

    @property
    def megabytes(self) -> Mapping[str, float]:
        """The highest memory of each service."""
        return {name: max(part.megabytes[name] for part in self.parts) for name in self.parts[0].megabytes}

    @property
    def name(self) -> str:
        last = self.parts[-1]
        return f"{self.parts[0].after + 1:,}–{last.after + last.people:,}"


@dataclass(frozen=True, slots=True)
class Pair:
    """People early and late in one run, many between them."""

    early: Crowd
    late: Crowd

    @property
    def ratio(self) -> float:
        return self.late.per_second / self.early.per_second

    @property
    def flatness(self) -> Mapping[str, float]:
        """Highest memory late against early, by service."""
        late = self.late.megabytes
        return {name: late[name] / early for name, early in self.early.megabytes.items()}


@dataclass(frozen=True, slots=True)
class Watched:
    """The same people by copies that differ in what is watched, one right after the other."""

    stretches: Mapping[str, Stretch]

    def cost(self, name: str) -> float:
        """The share of the throughput that this takes where the cores are the limit, from the CPU of everything but the driver."""
        beside, _ = WATCHED_BARS[name]
        return 1 - self.cpu(beside) / self.cpu(name)

    def slower(self, name: str) -> float:
        """The share of the throughput as it was seen, by the clock: whatever else ran on the machine is in it."""
        beside, _ = WATCHED_BARS[name]
        return 1 - self.stretches[name].per_second / self.stretches[beside].per_second

    def cpu(self, name: str) -> float:
        """Milliseconds a person."""
        return sum(used for process, used in a_person(self.stretches[name]).items() if process != DRIVER)


@dataclass(frozen=True, slots=True)
class HalfYear:
    """A generated half-year, played by each policy: its figures by name."""

    shift: str
    seed: int
    figures: Mapping[str, Mapping[str, float]]

    def lead(self, figure: str, over: str) -> float:
        """By how much looking ahead is better than another policy."""
        return self.figures[LOOKING_AHEAD][figure] - self.figures[over][figure]


def by_shift(years: Sequence[HalfYear]) -> Mapping[str, Sequence[HalfYear]]:
    """The half-years by what was not as it was."""
    names = dict.fromkeys(one.shift for one in years)
    return {name: [one for one in years if one.shift == name] for name in names}


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the bench."""

    machine: Mapping[str, str | float]
    rounds: Sequence[Round] = ()
    growth: Sequence[Pair] = ()
    matching: Sequence[Solving] = ()
    planning: Sequence[Planning] = ()
    online: Sequence[HalfYear] = ()
    teaching: Sequence[HalfYear] = ()
    """Figures by teacher instead of policy: `teaching.TEACHERS`."""
    watched: Sequence[Watched] = ()
    console: Mapping[str, float] | None = None
    """Each page's time as a multiple of an empty page's."""

    @property
    def middle(self) -> Round | None:
        """The round whose ratios are in the middle: of the usual way, else of the limit. An even number has a lower middle."""
        if not self.rounds:
            return None
        return sorted(self.rounds, key=lambda one: one.of_usual or one.of_limit or 0.0)[(len(self.rounds) - 1) // 2]

    def verdicts(self) -> list[Verdict]:
        """One for each bar that was measured."""
        found: list[Verdict] = []
        if of_limit := [ratio for one in self.rounds if (ratio := one.of_limit) is not None]:
            found.append(Verdict("the whole path against the limit", median(of_limit), LIMIT_BAR))
        if of_usual := [ratio for one in self.rounds if (ratio := one.of_usual) is not None]:
            found.append(Verdict("the whole path against the usual way", median(of_usual), USUAL_BAR))
        if prompt := [one.path.offers.p99 for one in self.rounds if one.path and one.path.offers]:
            found.append(
                Verdict(
                    "rounds from a need to its first offer, for 99 of 100", median(prompt), PROMPT_ROUNDS, most=True
                )
            )
        if self.growth:
            early, late = self.growth[0].early.name, self.growth[0].late.name
            ratio = median(pair.ratio for pair in self.growth)
            found.append(Verdict(f"people {late} against people {early}", ratio, GROWTH_BAR))
            for name in self.growth[0].early.megabytes:
                flatness = median(pair.flatness[name] for pair in self.growth)
                highest = max(crowd.megabytes[name] for pair in self.growth for crowd in (pair.early, pair.late))
                found.append(Verdict(f"memory of {name}, late against early", flatness, FLAT, most=True))
                found.append(Verdict(f"memory of {name} in MB", highest, MEGABYTES_BAR, most=True))
        found += [
            Verdict(f"a round of {one.people:,} needs against the bare solver", one.times, SOLVER_BAR, most=True)
            for one in self.matching
            if one.people == SOLVER_PEOPLE
        ]
        if self.watched:
            for name, (beside, bar) in WATCHED_BARS.items():
                cost = median(one.cost(name) for one in self.watched)
                found.append(Verdict(f"{name}: of the throughput with {beside}", cost, bar, most=True, digits=3))
        found += [
            Verdict(f"{page} against an empty page", times, PAGE_BAR, most=True)
            for page, times in (self.console or {}).items()
        ]
        for name, years in by_shift(self.online).items():
            reached = mean(one.figures[LOOKING_AHEAD]["ratio"] for one in years)
            found.append(Verdict(f"{name}: of hindsight", reached, HINDSIGHT_BARS.get(name, HINDSIGHT_BAR), digits=3))
            lead = min(one.lead("ratio", DAILY) for one in years)
            found.append(Verdict(f"{name}: worst lead over the optimum of each day", lead, 0.0, digits=3))
            more = mean(one.lead("served", FIRST_COME) for one in years)
            found.append(Verdict(f"{name}: share served beyond first come, first served", more, 0.0, digits=3))
        return found

    def to_json(self) -> dict[str, Any]:
        """What was measured, and the verdicts; of what was not asked for, nothing."""
        measured = {name: value for name, value in asdict(self).items() if value}
        return measured | {"verdicts": [one.to_json() for one in self.verdicts()]}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A value beside its bar: at least that, or `most`: below it or equal."""

    what: str
    value: float
    bar: float
    most: bool = False
    digits: int = 2

    @property
    def reached(self) -> bool:
        return self.value <= self.bar if self.most else self.value >= self.bar

    @property
    def measured(self) -> str:
        return _number(self.value, self.digits)

    @property
    def demand(self) -> str:
        return f"{'at most' if self.most else 'at least'} {_number(self.bar, self.digits)}"

    @property
    def sentence(self) -> str:
        return f"{self.what[0].upper()}{self.what[1:]}: {self.measured}, and it has to be {self.demand}."

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "reached": self.reached}


def _number(value: float, digits: int) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.{digits}f}"


def a_person(one: Stretch | Again) -> dict[str, float]:
    """CPU milliseconds that each process used for a person."""
    return {name: 1000 * seconds / one.people for name, seconds in one.cpu.items()}


def added(path: Stretch, limit: Again) -> dict[str, float]:
    """Where the rest of the limit goes: what a person costs on the whole path beyond the bare loop, in CPU milliseconds by process."""
    bare = a_person(limit)
    return {name: ours - bare.get(name, 0.0) for name, ours in a_person(path).items()}
