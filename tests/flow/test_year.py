"""Twenty people's year on the real system, from the offices' files to the counts: twice at the same time, with the same seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.folder import Choices
from deploy.embedded.system import SERVICES, Embedded, Running
from deploy.traces import Way, read_case
from simulation.balance import LIVE, differences
from simulation.books import Books, Summary, draw
from simulation.county import County, generate
from simulation.doors import Doors, Refusal
from simulation.driver import Year
from simulation.latencies import first_offer_ms
from simulation.rows import Fate, fate_of
from simulation.world import COUNSELLOR, World
from tests.broker import BROKER

PEOPLE = 20
FORTNIGHTLY = timedelta(days=14)
MOST_TIMES = 2
"""An offer is proposed to a need once more if nobody said no."""

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Run:
    """What is left of a year when the system has stopped."""

    county: County
    world: World
    books: Books
    summary: Summary
    at_intake: dict[str, str]
    at_profiling: dict[str, str]
    needs: dict[str, list[dict[str, Any]]]
    ways: dict[str, Way]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    async def both() -> tuple[Run, Run]:
        folders = (tmp_path_factory.mktemp(name) for name in ("one copy", "another copy"))
        return await asyncio.gather(year(next(folders)), year(next(folders)))

    return asyncio.run(both())


@pytest.fixture(scope="module")
def run(runs: tuple[Run, Run]) -> Run:
    return runs[0]


async def year(folder: Path) -> Run:
    county = generate(people=PEOPLE)
    async with system(folder, county) as (running, doors):
        world = World(county, doors)
        passing = Year(world, pace=FORTNIGHTLY)
        await passing.run()
        books = await draw(doors, world, passing.seats_taken_max)
        cases = list(world.person_of)
        at_intake = {case: await state(doors, "intake", case, "status") for case in cases}
        at_profiling = {case: await state(doors, "profiling", case, "stage") for case in cases}
        needs = {case: await state(doors, "referral", case, "needs", erased=[]) for case in cases}
    ways = {case: read_case(running.traces, case) for case in cases if case not in world.erased}
    summary = books.summary(1.0, first_offer_ms(running.traces))
    return Run(county, world, books, summary, at_intake, at_profiling, needs, ways)


@asynccontextmanager
async def system(folder: Path, county: County) -> AsyncIterator[tuple[Running, Doors]]:
    choices = Choices((county.key,), "virtual", "2016-01-01T00:00:00+01:00", ids_seed="flow", broker=BROKER)
    async with (
        Embedded(folder, choices=choices) as running,
        Doors.of(running.services, running.issuer_key_file, county.key) as doors,
    ):
        yield running, doors


async def state(doors: Doors, service: str, case: str, name: str, *, erased: Any = "erased") -> Any:
    """What a service says of a case; `erased` for one that it has forgotten."""
    try:
        return (await doors.get(service, f"/v1/cases/{case}", COUNSELLOR))[name]
    except Refusal as refusal:
        if refusal.code != "case-erased":
            raise
        return erased


def test_the_books_balance(run: Run) -> None:
    assert differences(run.books) == []


def test_every_person_is_in_exactly_one_state(run: Run) -> None:
    """Asked person by person, which the books do not do."""
    states = Counter[str]()
    for person in run.county.people():
        case = run.world.case_of.get(person.index)
        fate = fate_of(run.county.seed, person)
        assert (case is not None) == (fate is Fate.REGISTERED)
        if case is None:
            states["refused" if fate is Fate.REFUSED else "without consent"] += 1
            continue
        ended = {"erased": "erased", "moved": "moved away", "withdrawn": "withdrawn"}.get(run.at_intake[case])
        stage = run.at_profiling[case]
        assert (ended is not None) == (stage in ("ended", "erased"))
        working = {"to-invite": "invited", "talk-due": "invited", "talk-begun": "talk begun"}
        states[ended or working.get(stage, stage)] += 1
    assert sum(states.values()) == PEOPLE
    assert states == Counter({state: people for state, people in run.books.states.items() if people})


def test_the_numbers_tell_of_a_whole_way(run: Run) -> None:
    one = run.summary
    assert one.people == PEOPLE == one.registered + one.without_consent + one.refused
    assert one.counted == one.registered + one.without_consent
    assert one.appointments >= one.profiled > 0
    assert one.offered >= one.accepted > 0
    assert one.needs > one.profiled
    assert 0 < one.seats_taken_max <= one.seats
    assert (one.parked, one.dead_letters) == (0, 0)
    assert one.p50_ms_arrival_to_first_offer is not None
    assert one.p99_ms_arrival_to_first_offer is not None
    assert 0 < one.p50_ms_arrival_to_first_offer <= one.p99_ms_arrival_to_first_offer


def test_everybody_with_a_plan_has_each_need_in_one_place(run: Run) -> None:
    """A need is held by one referral or by none, and a seat is promised to one of them."""
    live = {*LIVE}
    for needs in run.needs.values():
        for need in needs:
            states = [referral["state"] for referral in need["referrals"]]
            holding = [one for one in states if one in live]
            assert len(holding) == (need["state"] in ("held", "released", "agreed", "accepted"))
            tried = Counter(referral["offer"] for referral in need["referrals"] if referral["state"] != "cancelled")
            assert max(tried.values(), default=0) <= MOST_TIMES, "whoever does not answer is not asked for ever"
            refused = [referral["offer"] for referral in need["referrals"] if referral["state"] == "refused"]
            for offer in refused:
                last = [referral for referral in need["referrals"] if referral["offer"] == offer][-1]
                assert last["state"] == "refused", "what the person refused is not proposed again"


def test_one_persons_way_is_one_trace_through_all_services(run: Run) -> None:
    case = next(case for case, needs in run.needs.items() if any(need["state"] == "closed" for need in needs))
    steps = [step.span for step in run.ways[case].steps]
    assert {span.service for span in steps} == set(SERVICES)
    assert len({span.trace_id for span in steps}) == 1
    names = [span.name for span in steps]
    for earlier, later in (
        ("RegisterArrival", "arrival-registered"),
        ("RecordProfile", "need-confirmed"),
        ("Propose", "referral-proposed"),
        ("Accept", "referral-accepted"),
    ):
        assert earlier in names
        assert names.index(earlier) < names.index(later), "causes stand before effects"
    assert not any(span.failed for span in steps)


def test_every_persons_way_is_one_trace(run: Run) -> None:
    for way in run.ways.values():
        assert len({step.span.trace_id for step in way.steps}) == 1
        assert not way.cut


def test_the_same_seed_takes_the_same_way_whatever_else_the_machine_does(runs: tuple[Run, Run]) -> None:
    one, other = runs
    timeless = {"seconds", "people_per_second", "p50_ms_arrival_to_first_offer", "p99_ms_arrival_to_first_offer"}
    assert one.summary.model_dump(exclude=timeless) == other.summary.model_dump(exclude=timeless)
    assert one.world.case_of == other.world.case_of
    assert one.at_profiling == other.at_profiling
    assert one.needs == other.needs
