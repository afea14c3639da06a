"""How fast the whole path is, as ratios of what is measured in one run on this machine, with the real clock.

    make bench                               # throughput beside the limit and the usual way, and the first referral
    make bench ARGS="--parts growth"         # hours on a small machine; the sizes can be given
    make bench ARGS="--parts matching,online" # a round beside the bare solver, and half-years by each policy: no engines needed
    make bench ARGS="--parts planning"       # proposals for courses with a minimum beside a round
    make bench ARGS="--parts telemetry"      # what metrics, traces and the console cost the path
    make bench ARGS="--parts console"        # the console's pages with a million spans; no engines needed
    make bench ARGS="--parts teaching"       # and by each that prices can be learned from

What is measured, and how to read it: docs/architecture/speed.md. The figures are written to build/bench/bench.json as well. Exit codes:
0 every bar that was measured is reached, 1 one is missed or something stopped the run, 2 the command was not understood, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeVar

from rich.console import Console

from deploy.embedded.child import StartFailed
from deploy.embedded.folder import read_running
from deploy.embedded.interrupts import stopping_on_signals
from deploy.refusals import CannotDo
from simulation.doors import NoAnswer, Refusal
from simulation.rest import NoRest
from tests.bench import console as pages
from tests.bench import online, planned, solving, teaching, watched
from tests.bench.copy import Disturbed, copy
from tests.bench.figures import QUIET, Again, Crowd, HalfYear, Pair, Report, Round, Stretch, Watched
from tests.bench.halfyear import TEST, Shift
from tests.bench.limit import Done, limit
from tests.bench.progress import Progress
from tests.bench.tables import show
from tests.bench.usual import usual
from tests.bench.written import Head

OUTPUT: Final = Path("build/bench")
FIGURES: Final = OUTPUT / "bench.json"
PARTS: Final = (
    "path",
    "usual",
    "growth",
    "first",
    "matching",
    "planning",
    "online",
    "teaching",
    "telemetry",
    "console",
)
USUALLY: Final = "path,usual,first"
FIRST_PEOPLE: Final = 20
"""They come before anything is measured but the first referral: whoever starts cold is not compared with who is warm."""
USUAL_PEOPLE: Final = 200
"""At most so many go the usual way: it does not get faster with more."""

SIZES: Final = ((1_000, 200), (10_000, 1_000), (100_000, 5_000))
"""Needs and offers of the rounds that are measured beside the bare solver."""
PLANNED: Final = ((1_000, 100), (3_000, 300))
"""Needs and offers of all kinds, of which the courses of some are planned."""

TRIES: Final = 3
"""So often something is measured while other machines of the host take the cores away."""
PART: Final = 500
"""People of a large crowd that are measured together."""

REACHED: Final = 0
MISSED: Final = 1
INTERRUPTED: Final = 130

Measured = TypeVar("Measured", Stretch, Again)

STOPS: Final = (CannotDo, Disturbed, NoAnswer, NoRest, Refusal, StartFailed)


class Bench:
    """The parts, one after the other. What they write lies below `OUTPUT`, and is removed when it is no longer needed."""

    def __init__(self, options: argparse.Namespace, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._copy = OUTPUT / "copy"
        self._kept = OUTPUT / "kept"
        self._again = OUTPUT / "again"
        self.report = Report(_machine())

    async def run(self) -> None:
        if read_running(self._copy) is not None:
            raise CannotDo("A bench is running here already. Two at a time would measure each other.")
        FIGURES.unlink(missing_ok=True)
        parts = self._options.parts
        await self._of_running_copies(parts)
        await self._of_rounds_and_plans(parts)
        if {"online", "teaching"} & {*parts}:
            await self._half_years(parts, self._options.seeds)
        self._clear()

    async def _of_running_copies(self, parts: Sequence[str]) -> None:
        if {"path", "usual", "first"} & {*parts}:
            for number in range(1, self._options.rounds + 1):
                self._progress.say(f"Round {number} of {self._options.rounds}")
                self._note(rounds=(*self.report.rounds, await self._round(parts)))
        if "growth" in parts:
            for number in range(1, self._options.runs + 1):
                self._progress.say(f"Growth, run {number} of {self._options.runs}")
                self._note(growth=(*self.report.growth, await self._growth()))
        if "telemetry" in parts:
            for number in range(self._options.rounds):
                with self._progress.during(
                    f"Copies watched in several ways, round {number + 1} of {self._options.rounds}"
                ):
                    stretches = await watched.measure(self._copy, self._options.people)
                self._note(watched=(*self.report.watched, Watched(stretches)))
        if "console" in parts:
            self._clear()
            self._note(console=await pages.measure(self._copy, say=self._progress.say))

    async def _of_rounds_and_plans(self, parts: Sequence[str]) -> None:
        if "matching" in parts:
            for people, offers in SIZES:
                with self._progress.during(f"A round of {people:,} needs and {offers:,} offers"):
                    measured = await asyncio.to_thread(solving.measure, people, offers)
                self._note(matching=(*self.report.matching, measured))
        if "planning" in parts:
            for people, offers in PLANNED:
                with self._progress.during(f"Plans for courses of {people:,} needs and {offers:,} offers"):
                    proposed = await asyncio.to_thread(planned.measure, people, offers)
                self._note(planning=(*self.report.planning, proposed))

    async def _half_years(self, parts: Sequence[str], seeds: Sequence[int]) -> None:
        with self._progress.during("Learning prices from other half-years"):
            learned = await asyncio.to_thread(online.trained)
        for seed, shift in product(seeds, Shift):
            if "online" in parts:
                with self._progress.during(f"A half-year by each policy: {shift}, seed {seed}"):
                    figures = await asyncio.to_thread(online.play_all, shift, seed, learned)
                self._note(online=(*self.report.online, HalfYear(shift, seed, figures)))
            if "teaching" in parts:
                with self._progress.during(f"A half-year by each teacher: {shift}, seed {seed}"):
                    figures = await asyncio.to_thread(teaching.play_all, shift, seed, learned)
                self._note(teaching=(*self.report.teaching, HalfYear(shift, seed, figures)))

    async def _round(self, parts: Sequence[str]) -> Round:
        """What is compared is measured within minutes."""
        people, few = self._options.people, min(self._options.people, USUAL_PEOPLE)
        done, heads = Round(), list[Head]()
        self._clear()
        async with copy(self._copy, self._progress, people) as running:
            first = await running.first_people(FIRST_PEOPLE)
            if "first" in parts:
                done = replace(done, first=first)
            if {"path", "usual"} & {*parts}:

                async def path() -> Stretch:
                    await running.look()
                    stretch = await running.stretch(people)
                    heads[:] = await running.keep(self._kept)
                    return stretch

                done = replace(done, path=await undisturbed(path, self._progress.say))
        if "path" in parts:

            async def bare() -> Again:
                shutil.rmtree(self._again, ignore_errors=True)
                with self._progress.during("The same records and writes by bare loops"):
                    return _again(await limit(heads, self._kept, self._again / "limit"), people, "transactions")

            done = replace(done, limit=await undisturbed(bare, self._progress.say))
        if "usual" in parts:

            async def each_message() -> Again:
                shutil.rmtree(self._again, ignore_errors=True)
                with self._progress.during(f"{few:,} of these people the usual way"):
                    return _again(await usual(heads, self._kept, self._again / "usual", few), few, "messages")

            done = replace(done, usual=await undisturbed(each_message, self._progress.say))
        return done

    async def _growth(self) -> Pair:
        options = self._options
        self._clear()
        async with copy(self._copy, self._progress, options.growth_stretch) as running:

            async def crowd(people: int) -> Crowd:
                starts = range(0, people, PART)
                return Crowd([await running.stretch(min(PART, people - start)) for start in starts])

            await running.first_people(options.growth_first)
            early = await crowd(options.growth_stretch)
            await crowd(options.growth_until - options.growth_first - 2 * options.growth_stretch)
            return Pair(early, await crowd(options.growth_stretch))

    def _note(self, **part: Any) -> None:
        """Written at once: whoever stops it after hours keeps what was measured by then."""
        self.report = replace(self.report, **part)
        OUTPUT.mkdir(parents=True, exist_ok=True)
        FIGURES.write_text(json.dumps(self.report.to_json(), indent=2) + "\n", encoding="utf-8")

    def _clear(self) -> None:
        for folder in (self._copy, self._kept, self._again):
            shutil.rmtree(folder, ignore_errors=True)


async def undisturbed(measure: Callable[[], Awaitable[Measured]], say: Callable[[str], None]) -> Measured:
    """What is measured while the machine is ours; after some tries, the last one."""
    tried = 0
    while True:
        measured, tried = await measure(), tried + 1
        if measured.stolen <= QUIET or tried == TRIES:
            return measured
        say(f"Once more: the host gave {measured.stolen:.0%} of that time to other machines.")


def _machine() -> Mapping[str, str | float]:
    """What figures depend on. `load`: how many processes wanted to run, in the last minute before."""
    cores, load = os.cpu_count() or 0, round(os.getloadavg()[0], 1)
    return {"cores": cores, "load": load, "python": platform.python_version(), "system": platform.system()}


def _again(done: Done, people: int, counted: str) -> Again:
    cpu = {name: did["cpu"] for name, did in done.did.items()}
    counts = {name: int(did.get(counted, 0)) for name, did in done.did.items()}
    return Again(people, done.seconds, {**cpu, **done.engines_cpu}, counts, done.stolen)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code. A mistake of ours keeps its traceback."""
    options = read(arguments)
    console = Console()
    try:
        return asyncio.run(_run(options, console))
    except STOPS as stopped:
        print(f"The bench could not be brought to its end. {stopped}", file=sys.stderr)
        return MISSED


async def _run(options: argparse.Namespace, console: Console) -> int:
    bench = Bench(options, Progress(console))
    finished = False
    with stopping_on_signals(_at_once, lambda: console.print("Stopping. Ctrl-C once more ends everything at once.")):
        await bench.run()
        finished = True
    if not finished:
        return INTERRUPTED
    report = bench.report
    show(report, console, each_seed=options.each_seed)
    console.print(f"The figures are in {FIGURES}.", highlight=False)
    missed = [verdict for verdict in report.verdicts() if not verdict.reached]
    for verdict in missed:
        console.print(f"Missed. {verdict.sentence}", style="red", highlight=False, soft_wrap=True)
    return MISSED if missed else REACHED


def _at_once() -> None:
    """Whatever we started ends with us: the kernel sees to it."""
    os._exit(INTERRUPTED)


def read(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options. Exits with 2 when they cannot be understood."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.growth_first + 2 * options.growth_stretch > options.growth_until:
        parser.error("two stretches after the first people are more than there are in the whole")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=…", description="How fast the whole path is, as ratios on this machine."
    )
    parser.add_argument("--people", type=_positive, default=500, metavar="N", help="in a round (default: 500)")
    parser.add_argument(
        "--rounds", type=_positive, default=3, metavar="N", help="of which the median counts (default: 3)"
    )
    parser.add_argument(
        "--parts", type=_parts, default=USUALLY, metavar="LIST", help=f"of {','.join(PARTS)} (default: {USUALLY})"
    )
    growth = parser.add_argument_group("growth", "Two equal stretches of one queue of people are compared.")
    growth.add_argument("--growth-first", type=_positive, default=1000, metavar="N", help="people before (1000)")
    growth.add_argument("--growth-stretch", type=_positive, default=5000, metavar="N", help="in each (5000)")
    growth.add_argument("--growth-until", type=_positive, default=20_000, metavar="N", help="in the whole (20000)")
    growth.add_argument("--runs", type=_positive, default=3, metavar="N", help="of which the median counts (3)")
    ahead = parser.add_argument_group("online", "Generated half-years, played by each policy.")
    ahead.add_argument("--seeds", type=_seeds, default=tuple(TEST), metavar="FROM-TO", help="(default: 900-909)")
    ahead.add_argument("--each-seed", action="store_true", help="print a table for each half-year too")
    return parser


def _seeds(text: str) -> tuple[int, ...]:
    first, _, last = text.partition("-")
    return tuple(range(int(first), int(last or first) + 1))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one")
    return number


def _parts(text: str) -> tuple[str, ...]:
    asked = tuple(text.split(","))
    for part in asked:
        if part not in PARTS:
            raise argparse.ArgumentTypeError(f"there is no part {part!r}; there are {', '.join(PARTS)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
