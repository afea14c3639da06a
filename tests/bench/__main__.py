"""How fast the whole path is, as ratios of what is measured in one run on this machine, with the real clock.

    make bench                               # throughput beside the limit and the usual way, and the first referral
    make bench ARGS="--parts growth"         # hours on a small machine; the sizes can be given

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
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from deploy.embedded.child import StartFailed
from deploy.embedded.folder import read_running
from deploy.embedded.interrupts import stopping_on_signals
from deploy.refusals import CannotDo
from simulation.doors import NoAnswer, Refusal
from simulation.rest import NoRest
from tests.bench.copy import Disturbed, copy
from tests.bench.figures import Again, Pair, Report
from tests.bench.limit import Done, limit
from tests.bench.progress import Progress
from tests.bench.tables import show
from tests.bench.usual import usual

OUTPUT: Final = Path("build/bench")
FIGURES: Final = OUTPUT / "bench.json"
PARTS: Final = ("path", "usual", "growth", "first")
USUALLY: Final = "path,usual,first"
FIRST_PEOPLE: Final = 20
"""They come before anything is measured but the first referral: whoever starts cold is not compared with who is warm."""
USUAL_PEOPLE: Final = 200
"""At most so many go the usual way: it does not get faster with more."""

REACHED: Final = 0
MISSED: Final = 1
INTERRUPTED: Final = 130

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
        if {"path", "usual", "first"} & {*parts}:
            await self._whole_path(parts)
        if "growth" in parts:
            for number in range(1, self._options.runs + 1):
                self._progress.say(f"Growth, run {number} of {self._options.runs}")
                pair = await self._growth()
                self._note(growth=(*self.report.growth, pair))
        self._clear()

    async def _whole_path(self, parts: Sequence[str]) -> None:
        people, heads, replayed = self._options.people, [], {"path", "usual"} & {*parts}
        self._clear()
        async with copy(self._copy, self._progress) as running:
            first = await running.first_people(FIRST_PEOPLE)
            if "first" in parts:
                self._note(first=first)
            if replayed:
                await running.look()
                self._note(path=await running.stretch(people))
                heads = await running.keep(self._kept)
        if "path" in parts:
            with self._progress.during("The same records and writes by bare loops"):
                done = await limit(heads, self._kept, self._again / "limit")
            self._note(limit=_again(done, people, "transactions"))
        if "usual" in parts:
            few = min(people, USUAL_PEOPLE)
            with self._progress.during(f"{few:,} of these people the usual way"):
                done = await usual(heads, self._kept, self._again / "usual", few)
            self._note(usual=_again(done, few, "messages"))

    async def _growth(self) -> Pair:
        options = self._options
        self._clear()
        async with copy(self._copy, self._progress) as running:
            await running.first_people(options.growth_first)
            early = await running.stretch(options.growth_stretch)
            between = options.growth_until - options.growth_first - 2 * options.growth_stretch
            if between:
                await running.stretch(between)
            return Pair(early, await running.stretch(options.growth_stretch))

    def _note(self, **part: Any) -> None:
        """Written at once: whoever stops it after hours keeps what was measured by then."""
        self.report = replace(self.report, **part)
        OUTPUT.mkdir(parents=True, exist_ok=True)
        FIGURES.write_text(json.dumps(self.report.to_json(), indent=2) + "\n", encoding="utf-8")

    def _clear(self) -> None:
        for folder in (self._copy, self._kept, self._again):
            shutil.rmtree(folder, ignore_errors=True)


def _machine() -> Mapping[str, str | float]:
    """What figures depend on. `load`: how many processes wanted to run, in the last minute before."""
    cores, load = os.cpu_count() or 0, round(os.getloadavg()[0], 1)
    return {"cores": cores, "load": load, "python": platform.python_version(), "system": platform.system()}


def _again(done: Done, people: int, counted: str) -> Again:
    cpu = {name: did["cpu"] for name, did in done.did.items()}
    counts = {name: int(did.get(counted, 0)) for name, did in done.did.items()}
    return Again(people, done.seconds, {**cpu, **done.engines_cpu}, counts)


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
    show(report, console)
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
    parser.add_argument("--people", type=_positive, default=500, metavar="N", help="on the whole path (default: 500)")
    parser.add_argument(
        "--parts", type=_parts, default=USUALLY, metavar="LIST", help=f"of {','.join(PARTS)} (default: {USUALLY})"
    )
    growth = parser.add_argument_group("growth", "Two equal stretches of one queue of people are compared.")
    growth.add_argument("--growth-first", type=_positive, default=1000, metavar="N", help="people before (1000)")
    growth.add_argument("--growth-stretch", type=_positive, default=5000, metavar="N", help="in each (5000)")
    growth.add_argument("--growth-until", type=_positive, default=20_000, metavar="N", help="in the whole (20000)")
    growth.add_argument("--runs", type=_positive, default=3, metavar="N", help="of which the median counts (3)")
    return parser


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
