"""``wegenetz demo``: a county's year of arrivals passes through the whole system while one watches, and the books are checked at the end.

Everything starts from nothing each time, in a data folder of its own (`var/demo`), on the virtual clock and with ids that follow from the
seed. A folder is emptied only if a demo made it: its `choices.json` then names a seed of ids that nobody else gives.

Exit codes: 0 the books balance, 1 they do not or something stopped the year, 2 the command was not understood.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import shutil
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

from rich.console import Console
from rich.table import Table

from deploy.embedded.child import StartFailed
from deploy.embedded.folder import BROKERS, NODES, Choices, read_choices, read_running
from deploy.embedded.interrupts import stopping_on_signals
from deploy.embedded.system import Embedded, Running
from deploy.embedded.up import say_where, up
from deploy.embedded.view import StatesView
from deploy.refusals import CannotDo, NotUnderstood
from schemas.codes import WaitReason
from schemas.places import UnknownPlace
from simulation import figures
from simulation.actors.counsellors import SheetFailed, Unrecognised
from simulation.balance import differences
from simulation.books import Books, Summary, draw
from simulation.county import STANDARD_SEED, STANDARD_YEAR, County, generate
from simulation.doors import Doors, NoAnswer, Refusal
from simulation.driver import Year
from simulation.latencies import first_offer_ms
from simulation.progress import Progress
from simulation.releases import compared
from simulation.rest import NoRest
from simulation.world import World

DATA: Final = Path("var/demo")
SUMMARY: Final = Path("build/demo/summary.json")

_IDS_OF_A_DEMO: Final = "demo-"
"""How the seed of the ids begins in each folder that a demo made, and in no other."""

BALANCED: Final = 0
NOT_BALANCED: Final = 1
NOT_UNDERSTOOD: Final = 2
INTERRUPTED: Final = 130

STOPS_THE_YEAR: Final = (NoRest, NoAnswer, Refusal, SheetFailed, Unrecognised, StartFailed)
"""What may go wrong on the way; each says in a sentence what it was."""

T = TypeVar("T")


def main(arguments: Sequence[str]) -> int:
    """The exit code. A mistake of ours keeps its traceback."""
    options = _parser().parse_args(arguments)
    console = Console()
    try:
        if options.keep:
            return _look_again(options.data, console)
        return asyncio.run(_demo(_county(options), options, console))
    except NotUnderstood as refusal:
        print(refusal, file=sys.stderr)
        return NOT_UNDERSTOOD
    except CannotDo as refusal:
        print(refusal, file=sys.stderr)
        return NOT_BALANCED


async def _demo(county: County, options: argparse.Namespace, console: Console) -> int:
    """A year, its books, and then the system stays up until Ctrl-C."""
    folder: Path = options.data
    _begin_anew(folder)
    view = StatesView(console)
    start = f"{county.year}-01-01T00:00:00+01:00"
    seed = f"{_IDS_OF_A_DEMO}{county.seed}"
    choices = Choices((county.key,), "virtual", start, seed, broker=options.broker, nodes=options.nodes)
    embedded = Embedded(folder, choices=choices, console=not options.once, changed=view.changed)
    code = INTERRUPTED
    with stopping_on_signals(
        embedded.hurry, lambda: console.print("Stopping. Ctrl-C once more ends everything at once.")
    ):
        async with AsyncExitStack() as opened:
            with view:
                console.print("Starting the broker, the database and the services …")
                running = await opened.enter_async_context(embedded)
            doors = await opened.enter_async_context(Doors.of(running.services, running.issuer_key_file, county.key))
            try:
                code = await _while_it_runs(running, _year(World(county, doors), running, console))
            except STOPS_THE_YEAR as stopped:
                console.print(f"\nThe year could not be brought to its end. {stopped}", style="red", highlight=False)
                console.print(f"What the services have to say is in {folder}/log/.", highlight=False)
                return NOT_BALANCED
            if not options.once:
                say_where(running, folder, console)
                await running.run()
    return code


async def _year(world: World, running: Running, console: Console) -> int:
    county = world.county
    console.print(
        f"\n{county.name}, {county.year}: {county.size:,} newcomers, {len(county.districts)} registration districts, "
        f"{len(county.partners)} partners with {len(county.offers):,} offers. All people are made up.\n",
        highlight=False,
    )
    began = time.monotonic()
    async with Progress(world, console) as progress:
        year = Year(world, progress.on_day)
        await year.run()
        seconds = time.monotonic() - began
    books = await draw(world.doors, world, year.seats_taken_max)
    summary = books.summary(seconds, await asyncio.to_thread(first_offer_ms, running.traces))
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
    _say(summary, books, county, console)
    if year.a_way_to_show is not None:
        console.print("\nOne person's way through all services, step by step:", highlight=False)
        console.print(f"  {_command('trace', year.a_way_to_show, running)}", highlight=False, soft_wrap=True)
    console.print(f"\nThe numbers are in {SUMMARY}.", highlight=False)
    return _judged([*differences(books), *await _published(world, console)], console)


async def _published(world: World, console: Console) -> Sequence[str]:
    """What is wrong with what anybody may read of the year; said in words what it is."""
    found = await compared(world.doors, world.county.year)
    console.print(
        f"{world.county.year} is published: {found.figures:,} protected figures, none further from what was counted than "
        f"{found.most}, and {found.not_shown:,} that are not shown because they would say where somebody is.",
        highlight=False,
    )
    return found.differences


def _say(summary: Summary, books: Books, county: County, console: Console) -> None:
    """In words what the numbers say."""
    one = summary
    console.print(
        f"[bold]{county.name}, {county.year}[/bold]\n"
        f"{one.people:,} people came to the registry offices in {one.seconds:.0f} seconds. "
        f"{one.registered:,} agreed that the migration centre may know of them, {one.without_consent:,} did not and are "
        f"only counted, and {one.refused:,} stand in rows that nobody put right.\n"
        f"{one.appointments:,} first talks were booked. {one.profiled:,} people have a profile; it led to {one.needs:,} needs. "
        f"{one.offered:,} times a seat was held for somebody: {one.accepted:,} times the partner accepted, "
        f"{one.declined:,} times it declined, {one.lapsed:,} times an answer did not come in time. "
        f"{one.waiting:,} needs still wait for a seat.\n"
        f"Never more than {one.seats_taken_max:,} of {one.seats:,} seats were taken.",
        highlight=False,
    )
    if one.p50_ms_arrival_to_first_offer is not None:
        console.print(
            f"From arrival to first offer the machines took {one.p50_ms_arrival_to_first_offer:.0f} ms for half of the people "
            f"and {one.p99_ms_arrival_to_first_offer:.0f} ms for all but one in a hundred (waiting for days, people and rounds "
            "left out).",
            highlight=False,
        )
    _show("Where everybody is", "people", books.states, console)
    because = {words: one.waiting_by_reason.get(reason, 0) for reason, words in WHY_NEEDS_WAIT.items()}
    _show("Why needs still wait", "needs", {words: needs for words, needs in because.items() if needs}, console)


WHY_NEEDS_WAIT: Final = {
    WaitReason.NO_FREE_SEAT: "every seat that would suit is taken",
    WaitReason.NOT_ELIGIBLE: "what is open does not suit: time, place, level, language or child care",
    WaitReason.NO_OFFER_OF_THIS_KIND: "nothing of this kind is open now, such as a course that has begun",
    WaitReason.KEPT_FOR_LATER: "a place that suits is free, and kept for a few days for who is still to come",
    WaitReason.ALL_TRIED: "all that would suit was tried: refused, declined or not answered",
    WaitReason.HELD_ALREADY: "the person has a place of this kind for another need",
    WaitReason.CONSENT_MISSING: "the person does not want such partners to be told",
    "unknown": "it came up after the last round",
}
"""In words what referral says."""


def _show(what: str, of: str, numbers: Mapping[str, int], console: Console) -> None:
    """A small table, if there is anything to show."""
    if numbers:
        table = Table(what, of, box=None, pad_edge=False)
        table.columns[1].justify = "right"
        for name, number in numbers.items():
            table.add_row(name, f"{number:,}")
        console.print()
        console.print(table)


def _judged(found: Sequence[str], console: Console) -> int:
    if not found:
        console.print("The books balance: everybody is in exactly one place, and so is every need.", style="green")
        return BALANCED
    console.print("The books do not balance:", style="red")
    for difference in found:
        console.print(f"- {difference}", highlight=False, soft_wrap=True)
    return NOT_BALANCED


async def _while_it_runs(running: Running, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, unless something can no longer be kept running."""
    keeping, working = asyncio.create_task(running.run()), asyncio.create_task(work)
    try:
        await asyncio.wait((keeping, working), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            keeping.result()  # raises why
        return await working
    finally:
        for task in (keeping, working):
            task.cancel()
        await asyncio.gather(keeping, working, return_exceptions=True)


def _begin_anew(folder: Path) -> None:
    """An empty data folder. One that no demo made, or that is in use, is left alone."""
    if read_running(folder) is not None:
        raise CannotDo(
            f"The system is running with the data in {folder}/. Stop it first, or take another folder: --data FOLDER"
        )
    if folder.exists() and any(folder.iterdir()) and not _is_of_a_demo(folder):
        raise CannotDo(
            f"A demo begins with an empty folder, and what is in {folder}/ was not made by a demo: nothing was touched. "
            f"Take another folder (--data FOLDER; {DATA} without it), or remove this one yourself if nobody needs it."
        )
    shutil.rmtree(folder, ignore_errors=True)


def _is_of_a_demo(folder: Path) -> bool:
    return (read_choices(folder).ids_seed or "").startswith(_IDS_OF_A_DEMO)


def _look_again(folder: Path, console: Console) -> int:
    if not _is_of_a_demo(folder):
        raise CannotDo(f"There is no earlier demo in {folder}/. Run one: wegenetz demo")
    up(folder, Choices(), console)
    return BALANCED


def _command(name: str, argument: str, running: Running) -> str:
    """A command as it can be typed here."""
    program = os.path.relpath(sys.argv[0]) if sys.argv and "wegenetz" in sys.argv[0] else "wegenetz"
    return shlex.join((program, name, argument, "--data", os.path.relpath(running.folder)))


def _county(options: argparse.Namespace) -> County:
    try:
        return generate(options.county, options.people, STANDARD_YEAR, options.seed)
    except (figures.NotPublished, UnknownPlace) as unknown:
        raise NotUnderstood(str(unknown)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wegenetz demo", description="A county's year of arrivals passes through the whole system while you watch."
    )
    parser.add_argument("--once", action="store_true", help="end when the year is over and the books are checked")
    parser.add_argument(
        "--people", type=_at_least_one, metavar="N", help="how many come (default: as many as were published)"
    )
    parser.add_argument("--seed", type=int, default=STANDARD_SEED, metavar="S", help="another seed, other people")
    parser.add_argument("--county", default=figures.STANDARD_COUNTY, metavar="KEY", help="five digits (default: 03459)")
    parser.add_argument("--keep", action="store_true", help="no new year: start with the data of the last demo")
    parser.add_argument("--broker", choices=BROKERS, default="embedded", help="kafka: Apache Kafka (Java 17 and Maven)")
    parser.add_argument(
        "--nodes", type=int, choices=NODES, default=1, help="how many nodes Apache Kafka has (default: 1)"
    )
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help=f"the data folder (default: {DATA})")
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one person has to come")
    return number
