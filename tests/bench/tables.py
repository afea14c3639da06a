"""The report as a person reads it. Nothing that was not measured gets a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.bench.figures import Again, Crowd, First, HalfYear, Pair, Report, Round, Stretch, Verdict, a_person, added
from tests.bench.solving import Solving

STEPS: Final = ("load", "decide", "write", "publish")


def show(report: Report, console: Console) -> None:
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    console.print(f"\n[bold]Speed[/bold] ({machine})", highlight=False)
    for table in tables(report):
        console.print()
        console.print(table)
    if first := _middle_first(report):
        console.print(f"\n{first_words(first)}", highlight=False)
    console.print()


def tables(report: Report) -> Iterator[Table]:
    """Throughput of every round; the rest of the middle one."""
    middle = report.middle
    if middle and middle.path:
        yield throughput(report.rounds)
        yield cpu(middle.path, middle.limit, middle.usual)
        yield steps(middle.path, middle.limit)
    if report.growth:
        yield growth(report.growth)
    if report.matching:
        yield matching(report.matching)
    for name, years in report.shifts.items():
        yield online(name, years)
        yield people(name, years)
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


def online(shift: str, years: Sequence[HalfYear]) -> Table:
    """Of hindsight, and the share served: each policy in each half-year."""
    table = _table(f"half-years, {shift}", *(_SHORT.get(name, name) for name in years[0].figures))
    for one in years:
        cells = (f"{found['ratio']:.3f} {found['served']:.0%}" for found in one.figures.values())
        table.add_row(f"seed {one.seed}", *cells)
    return table


def people(shift: str, years: Sequence[HalfYear]) -> Table:
    """What it means for people, on average. (All figures of each seed are in the JSON.)"""
    table = _table(f"{shift}, on average", *MEANT)
    for policy in years[0].figures:
        found = {name: mean(one.figures[policy][name] for one in years) for name in MEANT}
        table.add_row(
            _SHORT.get(policy, policy), *(f"{value:.0f}" if value > 1 else f"{value:.2f}" for value in found.values())
        )
    return table


MEANT: Final = ("unmet, some offer fitted", "wait p50", "wait p90", "urgent p90", "gap of languages")
_SHORT: Final = {
    "first come, first served": "first come",
    "optimum each day": "each day",
    "optimum once a week": "each week",
    "each day, minus learned prices": "prices",
    "the same, by scarcity": "by scarcity",
}


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
