"""The report as a person reads it. Nothing that was not measured gets a line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.bench.figures import (
    WATCHED_BARS,
    Again,
    Crowd,
    First,
    HalfYear,
    Offers,
    Pair,
    Report,
    Round,
    Stretch,
    Verdict,
    Watched,
    a_person,
    added,
    by_shift,
)
from tests.bench.planned import Planning
from tests.bench.solving import Solving

STEPS: Final = ("load", "decide", "write", "publish")


def show(report: Report, console: Console, *, each_seed: bool = False) -> None:
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    console.print(f"\n[bold]Speed[/bold] ({machine})", highlight=False)
    for table in tables(report, each_seed=each_seed):
        console.print()
        console.print(table)
    if first := _middle_first(report):
        console.print(f"\n{first_words(first)}", highlight=False)
    console.print()


def tables(report: Report, *, each_seed: bool = False) -> Iterator[Table]:
    """Throughput of every round; the rest of the middle one. `each_seed`: half-years one by one too."""
    middle = report.middle
    if middle and middle.path:
        yield throughput(report.rounds)
        yield cpu(middle.path, middle.limit, middle.usual)
        yield steps(middle.path, middle.limit)
        if middle.path.offers:
            yield offers(middle.path.offers)
    if report.growth:
        yield growth(report.growth)
    if report.matching:
        yield matching(report.matching)
    if report.planning:
        yield planning(report.planning)
    for name, years in by_shift(report.online).items():
        if each_seed:
            yield from of_each(years)
        yield means(name, years)
    if report.teaching:
        yield teaching(by_shift(report.teaching))
    if report.watched:
        yield watched(report.watched)
    if report.console:
        yield pages(report.console)
    if verdicts := report.verdicts():
        yield judged(verdicts)


def throughput(rounds: Sequence[Round]) -> Table:
    table = _table("throughput", "people", "seconds", "people/s", "path is", "stolen")
    for number, one in enumerate(rounds, 1):
        if one.path:
            table.add_row(f"round {number}: the whole path", *_row(one.path), "", f"{one.path.stolen:.0%}")
        for name, other, ratio in (
            ("the limit: a bare loop", one.limit, one.of_limit),
            ("the usual way", one.usual, one.of_usual),
        ):
            if other and ratio is not None:
                table.add_row(name, *_row(other), f"{ratio:.2f} times", f"{other.stolen:.0%}")
    return table


def cpu(path: Stretch, limit: Again | None, usual: Again | None) -> Table:
    """Per person, so that stretches of any length can be compared."""
    columns = {"whole path": a_person(path)}
    if limit:
        columns |= {"bare loop": a_person(limit), "added": added(path, limit)}
    if usual:
        columns["usual way"] = a_person(usual)
    table = _table("CPU, ms a person", *columns)
    for name in path.cpu:
        table.add_row(name, *(f"{column.get(name, 0.0):.1f}" for column in columns.values()))
    table.add_row("all", *(f"{sum(column.values()):.1f}" for column in columns.values()))
    return table


def steps(path: Stretch, limit: Again | None) -> Table:
    bare = ("in the bare loop",) if limit else ()
    table = _table("seconds of the path in each step", *STEPS, "transactions", *bare)
    for name, seconds in path.steps.items():
        again = (str(limit.counted.get(name, 0)),) if limit else ()
        table.add_row(name, *(f"{seconds[step]:.1f}" for step in STEPS), str(path.transactions[name]), *again)
    return table


def offers(made: Offers) -> Table:
    """How soon needs were offered a place."""
    table = _table("first offer within", "needs", "share")
    for bound, some in sorted(made.within.items()):
        if bound < math.inf:
            table.add_row(f"{bound:.0f} rounds", f"{some:,}", f"{some / max(1, made.needs):.1%}")
    mean_ms = 1000 * made.seconds / max(1, made.rounds)
    table.add_row("needs in all", f"{made.needs:,}", f"{made.rounds} rounds, {mean_ms:.0f} ms each")
    return table


def growth(pairs: Sequence[Pair]) -> Table:
    early, late = pairs[0].early, pairs[0].late
    table = _table(f"growth, {len(pairs)} runs", f"people {early.name}", f"people {late.name}", "ratio")
    for number, pair in enumerate(pairs, 1):
        rates = (f"{crowd.per_second:.2f}/s" for crowd in (pair.early, pair.late))
        table.add_row(f"throughput, run {number}", *rates, f"{pair.ratio:.2f}")
        table.add_row(f"quiet parts, run {number}", *(_quiet(crowd) for crowd in (pair.early, pair.late)), "")
    for service in early.megabytes:
        for number, pair in enumerate(pairs, 1):
            memory = (f"{crowd.megabytes[service]:.0f} MB" for crowd in (pair.early, pair.late))
            table.add_row(f"memory of {service}, run {number}", *memory, f"{pair.flatness[service]:.2f}")
    return table


def _quiet(crowd: Crowd) -> str:
    return f"{crowd.quiet} of {len(crowd.parts)}"


def matching(sizes: Sequence[Solving]) -> Table:
    table = _table("a round, CPU seconds", "pairs", "placed", "eligibility", "round", "bare solver", "times")
    for one in sizes:
        seconds = (f"{value:.3f}" for value in (one.eligibility, one.round, one.solver))
        name = f"{one.people:,} needs, {one.offers:,} offers"
        table.add_row(name, f"{one.pairs:,}", f"{one.placed:,}", *seconds, f"{one.times:.2f}")
    return table


def planning(sizes: Sequence[Planning]) -> Table:
    """Proposals for courses with a minimum, beside a round that knows none."""
    columns = ("pairs", "closed", "round", "exact", "times", "quick", "times", "gain of quick")
    table = _table("plans of courses, CPU seconds", *columns)
    for one in sizes:
        exact, quick = (f"{one.exact:.3f}", f"{one.times:.1f}"), (f"{one.quick:.3f}", f"{one.quick_times:.1f}")
        name = f"{one.people:,} people, {one.courses:,} courses"
        table.add_row(
            name, f"{one.pairs:,}", f"{one.closed}", f"{one.round:.3f}", *exact, *quick, f"{one.of_exact:.3f}"
        )
    return table


def means(shift: str, years: Sequence[HalfYear]) -> Table:
    """Every figure of each policy, the mean over the half-years."""
    return _policies(f"{shift}, mean of {len(years)}", [one.figures for one in years])


def of_each(years: Sequence[HalfYear]) -> Iterator[Table]:
    """The same for each half-year alone."""
    for one in years:
        yield _policies(f"{one.shift}, seed {one.seed}", [one.figures])


def teaching(years: Mapping[str, Sequence[HalfYear]]) -> Table:
    """Of hindsight, and the share served, by what prices were learned from."""
    table = _table("prices learned from", *years)
    teachers = next(iter(years.values()))[0].figures
    for teacher in teachers:
        found = ((_mean(some, teacher, "ratio"), _mean(some, teacher, "served")) for some in years.values())
        table.add_row(teacher, *(f"{ratio:.3f} {served:.1%}" for ratio, served in found))
    return table


def _mean(years: Sequence[HalfYear], policy: str, figure: str) -> float:
    return mean(one.figures[policy][figure] for one in years)


def _policies(title: str, years: Sequence[Mapping[str, Mapping[str, float]]]) -> Table:
    policies = years[0]
    table = _table(title, *(_SHORT.get(name, name) for name in policies))
    for figure in next(iter(policies.values())):
        found = (mean(one[policy][figure] for one in years) for policy in policies)
        table.add_row(figure, *(_written(figure, value) for value in found))
    return table


def _written(figure: str, value: float) -> str:
    """Shares to three digits; days, courses and milliseconds to one."""
    return f"{value:.1f}" if any(word in figure for word in ("wait", "p90", "courses", "ms")) else f"{value:.3f}"


_SHORT: Final = {
    "first come, first served": "first come",
    "optimum each day": "each day",
    "optimum once a week": "each week",
    "each day, minus learned prices": "prices",
    "the same, by scarcity": "by scarcity",
}


def watched(rounds: Sequence[Watched]) -> Table:
    """What each way of watching costs, round by round."""
    table = _table("watched by", "people/s", "CPU, ms a person", "of the throughput, by CPU", "by the clock")
    for number, one in enumerate(rounds, 1):
        for name, stretch in one.stretches.items():
            costs = (f"{one.cost(name):.1%}", f"{one.slower(name):.1%}") if name in WATCHED_BARS else ("", "")
            table.add_row(f"round {number}: {name}", f"{stretch.per_second:.2f}", f"{one.cpu(name):.1f}", *costs)
    return table


def pages(times: Mapping[str, float]) -> Table:
    table = _table("page of the console", "times an empty page")
    for page, factor in times.items():
        table.add_row(page, f"{factor:.1f}")
    return table


def judged(verdicts: Sequence[Verdict]) -> Table:
    table = _table("bar", "measured", "has to be", "")
    for verdict in verdicts:
        word = Text("reached", style="green") if verdict.reached else Text("missed", style="red")
        table.add_row(verdict.what, verdict.measured, verdict.demand, word)
    return table


def first_words(first: First) -> str:
    return (
        f"From the end of set-up to the first accepted referral: {first.accepted:.1f} s "
        f"(everything up after {first.up:.1f} s, offers published after {first.offers:.1f} s)."
    )


def _middle_first(report: Report) -> First | None:
    """The middle one of all rounds."""
    firsts = sorted((one.first for one in report.rounds if one.first), key=lambda first: first.accepted)
    return firsts[(len(firsts) - 1) // 2] if firsts else None


def _row(one: Stretch | Again) -> tuple[str, str, str]:
    return f"{one.people:,}", f"{one.seconds:.1f}", f"{one.per_second:.2f}"


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, pad_edge=False, header_style="bold")
    for other in others:
        table.add_column(other, justify="right")
    return table
