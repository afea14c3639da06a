"""What follows from measured figures: ratios, verdicts, and a report that holds only what was measured."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from tests.bench.__main__ import read, undisturbed
from tests.bench.figures import (
    CONSOLE,
    DISCARDED,
    METRICS,
    UNWATCHED,
    Again,
    Crowd,
    First,
    Pair,
    Report,
    Round,
    Stretch,
    Watched,
    added,
)
from tests.bench.tables import show

MACHINE = {"cores": 2}


def stretch(
    people: int = 100, seconds: float = 10.0, *, after: int = 0, megabytes: float = 100.0, stolen: float = 0.0
) -> Stretch:
    return Stretch(
        after=after,
        people=people,
        seconds=seconds,
        accepted=3 * people,
        cpu={"intake": 2.0, "database": 8.0, "driver": 1.0},
        megabytes={"intake": megabytes},
        steps={"intake": {"load": 1.0, "decide": 2.0, "write": 3.0, "publish": 0.5}},
        transactions={"intake": 17},
        stolen=stolen,
    )


def again(people: int = 100, seconds: float = 5.0) -> Again:
    return Again(people, seconds, {"intake": 0.5, "database": 6.0}, {"intake": 18})


def pair(late_seconds: float, *, megabytes: float = 100.0) -> Pair:
    late = stretch(after=15_000, seconds=late_seconds, megabytes=megabytes)
    return Pair(Crowd([stretch(after=1000)]), Crowd([late]))


def measured(path: Stretch, limit: Again | None = None, usual: Again | None = None) -> Report:
    return Report(MACHINE, [Round(path, limit, usual)])


def verdict(report: Report, about: str) -> Any:
    return next(one for one in report.verdicts() if about in one.what)


def text(report: Report) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(report, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds_of_the_limit", "ratio", "reached"), [(5.0, 0.5, True), (4.9, 0.49, False), (10, 1, True)]
)
def test_half_of_the_limit_is_enough_and_less_is_not(seconds_of_the_limit: float, ratio: float, reached: bool):
    report = measured(stretch(seconds=10.0), again(seconds=seconds_of_the_limit))
    found = verdict(report, "the limit")
    assert (found.value, found.reached) == (pytest.approx(ratio), reached)


@pytest.mark.parametrize(("people", "seconds", "reached"), [(20, 10.0, True), (21, 10.0, False)])
def test_the_usual_way_is_compared_by_people_in_a_second_however_many_went_it(
    people: int, seconds: float, reached: bool
):
    report = measured(stretch(people=100, seconds=10.0), usual=again(people, seconds))
    assert verdict(report, "usual way").reached is reached


def test_what_watching_costs_is_told_beside_the_copy_that_lacks_it_and_the_bench_itself_costs_nothing():
    def copy(milliseconds: float) -> Stretch:
        return replace(stretch(), cpu={"intake": milliseconds / 10, "driver": 50.0})

    four = (copy(97.5), copy(100.0), copy(110.0), copy(150.0))
    report = Report(MACHINE, watched=[Watched(dict(zip((UNWATCHED, METRICS, DISCARDED, CONSOLE), four, strict=True)))])
    costs = [(one.value, one.reached) for one in report.verdicts()]
    assert costs == [(pytest.approx(0.025), True), (pytest.approx(1 / 11), True), (pytest.approx(1 / 3), False)]
    assert "9.1%" in text(report)


def test_a_page_of_the_console_that_takes_too_long_is_named():
    report = Report(MACHINE, console={"/pages/overview": 1.7, "/pages/letters": 5.1})
    assert [one.what.split()[0] for one in report.verdicts() if not one.reached] == ["/pages/letters"]


def test_growth_is_the_median_of_the_runs_so_that_one_bad_run_decides_nothing():
    report = Report(MACHINE, growth=[pair(40.0), pair(11.0), pair(10.0)])
    found = verdict(report, "against people")
    assert found.what == "people 15,001–15,100 against people 1,001–1,100"
    assert found.value == pytest.approx(10 / 11)
    assert found.reached


def test_a_ratio_is_the_median_of_the_rounds_so_that_one_bad_round_decides_nothing():
    rounds = [Round(stretch(seconds=seconds), again(seconds=5.0), again(20, 10.0)) for seconds in (40.0, 9.0, 8.0)]
    report = Report(MACHINE, rounds)
    assert verdict(report, "usual way").value == pytest.approx(100 / 9 / 2)
    assert verdict(report, "the limit").value == pytest.approx(5 / 9)
    assert report.middle is rounds[1]


def test_people_who_came_while_the_machine_was_not_ours_say_nothing_of_growth():
    quiet, disturbed = stretch(seconds=10.0), stretch(seconds=50.0, stolen=0.5)
    assert Crowd([disturbed, quiet, disturbed]).per_second == quiet.per_second
    assert Crowd([disturbed, disturbed]).per_second == disturbed.per_second


@pytest.mark.parametrize(
    ("stolen", "kept"), [((0.05, 0.0), 0.05), ((0.4, 0.02, 0.0), 0.02), ((0.3, 0.2, 0.1, 0.0), 0.1)]
)
async def test_what_other_machines_disturbed_is_measured_again_and_not_for_ever(
    stolen: tuple[float, ...], kept: float
) -> None:
    shares, said = iter(stolen), list[str]()

    async def measure() -> Stretch:
        return stretch(stolen=next(shares))

    assert (await undisturbed(measure, said.append)).stolen == kept
    assert len(said) == stolen.index(kept)


def test_memory_has_to_be_flat_and_small_in_every_run():
    flat = Report(MACHINE, growth=[pair(10.0, megabytes=109.0)])
    assert all(one.reached for one in flat.verdicts())
    growing = Report(MACHINE, growth=[pair(10.0, megabytes=111.0)])
    assert not verdict(growing, "late against early").reached
    large = Report(MACHINE, growth=[pair(10.0), pair(10.0), pair(10.0, megabytes=151.0)])
    assert verdict(large, "late against early").reached
    assert not verdict(large, "in MB").reached


def test_a_missed_bar_is_said_in_a_sentence_with_both_numbers():
    report = measured(stretch(seconds=10.0), again(seconds=3.0))
    assert (
        verdict(report, "limit").sentence == "The whole path against the limit: 0.30, and it has to be at least 0.50."
    )


def test_what_our_code_adds_is_the_cpu_of_a_person_without_that_of_the_bare_loop():
    assert added(stretch(), again()) == pytest.approx({"intake": 15, "database": 20, "driver": 10})


def test_what_was_not_asked_for_is_in_neither_the_table_nor_the_file():
    report = Report(MACHINE, [Round(first=First(up=6.0, offers=8.0, accepted=14.5))])
    assert set(report.to_json()) == {"machine", "rounds", "verdicts"}
    assert report.verdicts() == []
    shown = text(report)
    assert "14.5 s" in shown
    assert not any(word in shown for word in ("limit", "usual", "growth", "whole path"))


def test_the_table_says_of_how_many_people_each_figure_is():
    report = Report(MACHINE, [Round(stretch(), again(), again(40, 20.0))], [pair(11.0)])
    shown = text(report)
    for line in (
        ("the whole path", "100", "10.0", "10.00"),
        ("the limit: a bare loop", "100", "5.0", "20.00", "0.50"),
        ("the usual way", "40", "20.0", "2.00", "5.00"),
        ("people 1,001–1,100", "people 15,001–15,100"),
        ("throughput, run 1", "10.00/s", "9.09/s", "0.91"),
        ("intake", "20.0", "5.0", "15.0", "12.5"),
        ("all", "110.0", "65.0", "45.0", "162.5"),
    ):
        assert any(all(word in row for word in line) for row in shown.splitlines()), line


@pytest.mark.parametrize(
    "arguments",
    [["--parts", "path,speed"], ["--people", "0"], ["--growth-first", "100", "--growth-until", "10000"]],
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as left:
        read(arguments)
    assert left.value.code == 2
    assert capsys.readouterr().err
