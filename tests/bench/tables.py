"""The report as a person reads it. Nothing that was not measured gets a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.bench.figures import Again, Pair, Report, Stretch, Verdict, a_person, added

STEPS: Final = ("load", "decide", "write", "publish")


def show(report: Report, console: Console) -> None:
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    console.print(f"\n[bold]Speed[/bold] ({machine})", highlight=False)
    for table in tables(report):
        console.print()
        console.print(table)
    if report.first:
        console.print(f"\n{first_words(report)}", highlight=False)
    console.print()


def tables(report: Report) -> Iterator[Table]:
    if report.path:
        yield throughput(report.path, report.limit, report.usual)
        yield cpu(report.path, report.limit, report.usual)
        yield steps(report.path, report.limit)
    if report.growth:
        yield growth(report.growth)
    if verdicts := report.verdicts():
        yield judged(verdicts)


def throughput(path: Stretch, limit: Again | None, usual: Again | None) -> Table:
    table = _table("throughput", "people", "seconds", "people/s", "of it")
    table.add_row("the whole path", *_row(path), "")
    for name, other in (("the limit: a bare loop", limit), ("the usual way", usual)):
        if other:
            table.add_row(name, *_row(other), f"{path.per_second / other.per_second:.2f}")
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
        rates = (f"{stretch.per_second:.2f}/s" for stretch in (pair.early, pair.late))
        table.add_row(f"throughput, run {number}", *rates, f"{pair.ratio:.2f}")
    for service in early.megabytes:
        for number, pair in enumerate(pairs, 1):
            memory = (f"{stretch.megabytes[service]:.0f} MB" for stretch in (pair.early, pair.late))
            table.add_row(f"memory of {service}, run {number}", *memory, f"{pair.flatness[service]:.2f}")
    return table


def judged(verdicts: Sequence[Verdict]) -> Table:
    table = _table("bar", "measured", "has to be", "")
    for verdict in verdicts:
        word = Text("reached", style="green") if verdict.reached else Text("missed", style="red")
        table.add_row(verdict.what, verdict.measured, verdict.demand, word)
    return table


def first_words(report: Report) -> str:
    assert report.first is not None
    first = report.first
    return (
        f"From the end of set-up to the first accepted referral: {first.accepted:.1f} s "
        f"(everything up after {first.up:.1f} s, offers published after {first.offers:.1f} s)."
    )


def _row(one: Stretch | Again) -> tuple[str, str, str]:
    return f"{one.people:,}", f"{one.seconds:.1f}", f"{one.per_second:.2f}"


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, pad_edge=False, header_style="bold")
    for other in others:
        table.add_column(other, justify="right")
    return table
