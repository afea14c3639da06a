"""The books of a run name whatever is lost, doubled or in two places: in one service, between two, or at the end of a sequence."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from schemas.codes import Way
from simulation.actors.referrals import PROPOSAL
from simulation.balance import COUNTED_AS, ENDS, LIVE, differences
from simulation.books import Books
from simulation.county import generate
from simulation.doors import Doors
from simulation.people import Person
from simulation.rows import Fate, fate_of
from simulation.world import World

Answers = dict[str, Any]

LEFT_BEHIND = {
    **dict.fromkeys(("persons", "at_the_counter", "appointments", "profiled", "needs", "waited"), 2),
    **dict.fromkeys(("proposed", "released", "agreed", "accepted", "started", "completed", "outcomes"), 1),
}
"""What reporting keeps of the two who were erased."""


def world_after_a_year() -> World:
    """Two of those who agreed were erased, two left, one withdrew; two referrals of living people came to an end, one of an erased one."""
    world = World(generate(people=80), cast("Doors", None))
    fates = {person.index: fate_of(world.county.seed, person) for person in world.county.people()}
    world.arrived.update(fates)
    world.refused.update(index for index, fate in fates.items() if fate is Fate.REFUSED)
    for index in registered(world):
        world.meet(str(uuid.uuid5(uuid.NAMESPACE_OID, str(index))), index)
    at_the_counter = [case for case in world.person_of if world.person_in(case).way is not Way.CENTRE]
    gone, also_gone, left, left_too, withdrew, stayed, stayed_too, *_ = at_the_counter
    world.erased_after.update({gone: timedelta(days=90), also_gone: timedelta(days=300)})
    world.moved_away.update((left, left_too))
    world.withdrawn.add(withdrew)
    for case in (gone, stayed, stayed_too):
        for step in (PROPOSAL, "release", "agreement"):
            world.record(step, case)
    for case in (gone, stayed):
        world.record("acceptance", case)
        world.record("start", case)
        world.record("completion", case)
    world.record("decline", stayed_too)
    return world


def registered(world: World) -> list[int]:
    return [index for index in sorted(world.arrived) if _fate(world, world.person(index)) is Fate.REGISTERED]


def _fate(world: World, person: Person) -> Fate:
    return fate_of(world.county.seed, person)


def answers_after_a_year(world: World) -> Answers:
    """What the services say of it when nothing was lost."""
    people = [world.person(index) for index in registered(world)]
    at_the_counter = sum(person.way is not Way.CENTRE for person in people)
    refusing = [person for person in map(world.person, world.arrived) if _fate(world, person) is Fate.COUNTED]
    without_consent = len(refusing)
    living = len(people) - 2
    refused_there = sum(person.way is not Way.CENTRE for person in refusing)
    counter = {"at_the_counter": at_the_counter - 2, "without_consent": refused_there}
    talks = {"appointments": living + 3, "profiled": living - 4, "needs": 20, "waited": 7, "seats": 50}
    steps = {"proposed": 2, "released": 2, "agreed": 2, "accepted": 1, "declined": 1}
    steps |= {"started": 1, "completed": 1, "outcomes": 1}
    facts: dict[str, int] = {"persons": living, **counter, "withdrawn": 1, "departed": 2, **talks, **steps}
    facts |= dict.fromkeys(("refused", "rejected", "lapsed", "cancelled", "failed", "failures", "agreed_in_advance"), 0)
    kept = {name: LEFT_BEHIND.get(name, 0) for name in facts}
    totals = {name: facts[name] + kept[name] for name in facts}
    arrivals = {"counted": totals["persons"], "facts": living, "kept": 2, "difference": 0}
    stages = {
        "to-invite": 0,
        "talk-due": 1,
        "talk-begun": 0,
        "profiled": 0,
        "planned": living - 4,
        "ended": 3,
        "erased": 2,
    }
    needs = {
        "waiting": 16,
        "held": 0,
        "released": 0,
        "agreed": 0,
        "accepted": 0,
        "refused": 3,
        "withdrawn": 2,
        "closed": 1,
    }
    referrals = dict.fromkeys((*LIVE, *ENDS), 0) | {"declined": 1, "completed": 1}
    told = {
        "intake": {"case": 300, "count": without_consent},
        "profiling": {"case": 90},
        "referral": {"case": 40, "offer": 9},
    }
    return {
        "intake": {
            "registered": len(people),
            "active": living - 3,
            "withdrawn": 1,
            "moved": 2,
            "erased": 2,
            "without_consent": without_consent,
            "appointments": talks["appointments"],
        },
        "profiling": {
            "cases": stages,
            "arrived": living,
            "profiled": living - 4,
            "complete": living - 4,
            "needs": {"derived": 0, "suggested": 0, "confirmed": 20, "dropped": 0, "withdrawn": 2},
        },
        "referral": {
            "cases": len(people),
            "needs": needs,
            "referrals": referrals,
            "offers": 9,
            "seats": 50,
            "held": 0,
            "accepted": 0,
            "overbooked": [],
            "waiting_because": {"no-free-seat": 10, "not-eligible": 6, "unknown": 0},
            "balanced": True,
        },
        "reporting": {
            "lines": [{"table": table, **arrivals} for table in ("arrivals-by-residence", "arrivals-by-age")],
            "totals": totals,
            "facts": facts,
            "kept": kept,
            "anonymous": without_consent,
            "erased": 2,
            "incomplete": 0,
        },
        "statuses": {service: {"parked": 0, "dead_letters": 0} for service in (*told, "reporting")},
        "numbers": {
            "intake": {"told": told["intake"], "heard": {"referral": {"case": 40}}},
            "profiling": {"told": told["profiling"], "heard": {"intake": {"case": 300}, "referral": {"case": 40}}},
            "referral": {
                "told": told["referral"],
                "heard": {"intake": {"case": 300, "offer": 0}, "profiling": {"case": 90, "offer": 0}},
            },
            "reporting": {"told": {}, "heard": {"intake": dict(told["intake"]), "referral": dict(told["referral"])}},
        },
    }


@pytest.fixture(scope="module")
def world() -> World:
    return world_after_a_year()


@pytest.fixture(scope="module")
def right(world: World) -> Answers:
    return answers_after_a_year(world)


@pytest.fixture
def answers(right: Answers) -> Answers:
    return copy.deepcopy(right)


def found(world: World, answers: Answers) -> str:
    return "\n".join(differences(Books(world=world, seats_taken_max=12, **answers)))


def recounted(answers: Answers, name: str, by: int, where: str = "facts") -> None:
    """Reporting is wrong, and at one with itself about it: in the facts, or in what it keeps of erased people."""
    for figures in (where, "totals"):
        answers["reporting"][figures][name] += by
    for line in answers["reporting"]["lines"] if name == "persons" else ():
        for figures in (where, "counted"):
            line[figures] += by


def test_a_year_in_which_nothing_was_lost_balances(world: World, answers: Answers) -> None:
    assert found(world, answers) == ""


def test_an_arrival_that_reporting_lost_shows_although_people_were_erased(world: World, answers: Answers) -> None:
    recounted(answers, "persons", -1)
    known, counted = answers["intake"]["registered"] - 2, answers["reporting"]["facts"]["persons"]
    assert found(world, answers) == (
        f"There are {known} people known to intake, but {counted} persons of living people counted by reporting."
    )


COMPARED = [
    *(
        "persons",
        "at_the_counter",
        "without_consent",
        "withdrawn",
        "departed",
        "appointments",
        "profiled",
        "needs",
        "seats",
    ),
    *("proposed", *(name for names in COUNTED_AS.values() for name in names), "rejected", "lapsed", "cancelled"),
]


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("name", COMPARED)
def test_whatever_reporting_counts_of_living_people_is_held_against_its_owner(
    world: World, answers: Answers, name: str, by: int
) -> None:
    recounted(answers, name, by)
    assert "counted by reporting" in found(world, answers)


@pytest.mark.parametrize(
    ("name", "by"),
    [
        *(("persons", by) for by in (-1, 1)),
        *(("at_the_counter", by) for by in (-1, 1)),
        *(
            (name, 1)
            for name in ("without_consent", "seats", "withdrawn", "departed", "profiled", "released", "agreed")
        ),
        *((name, 1) for name in ("refused", "declined", "accepted", "failed", "lapsed", "cancelled", "rejected")),
        *((name, -3) for name in ("appointments", "needs", "waited", "proposed")),
        ("appointments", 5),
    ],
)
def test_what_is_kept_of_erased_people_cannot_be_more_or_less_than_they_were(
    world: World, answers: Answers, name: str, by: int
) -> None:
    if name in ("lapsed", "cancelled", "rejected"):
        by += answers["reporting"]["kept"]["proposed"]
    recounted(answers, name, by, "kept")
    assert "Of erased people reporting keeps" in found(world, answers)


def test_where_nobody_was_erased_nothing_is_kept(world: World, answers: Answers) -> None:
    nobody_gone = replace(world, erased_after={})
    answers["reporting"]["kept"]["needs"] = 1
    assert "reporting keeps 1 needs, and can only have kept 0." in found(nobody_gone, answers)


def test_a_row_that_one_of_the_tables_of_arrivals_did_not_keep_shows(world: World, answers: Answers) -> None:
    answers["reporting"]["lines"][1]["kept"] -= 1
    answers["reporting"]["lines"][1]["counted"] -= 1
    assert "the tables of arrivals keep different numbers" in found(world, answers)


def test_the_last_event_of_a_sequence_that_was_not_heard_shows(world: World, answers: Answers) -> None:
    answers["numbers"]["profiling"]["heard"]["referral"]["case"] -= 1
    assert found(world, answers) == ("There are 40 events about a case told by referral, but 39 heard by profiling.")


ALONE = {
    ("intake", "active"),  # registered without the others
    ("profiling", "arrived"),  # the stages say where everybody is
    ("profiling", "profiled"),
    *(("profiling", "needs", state) for state in ("derived", "suggested", "dropped", "withdrawn")),
    ("referral", "needs", "withdrawn"),
    *(("referral", name) for name in ("offers", "held", "accepted")),  # referral's recount holds them together
}
"""Figures of which no other service has a second."""


def test_no_other_figure_can_be_another_one_alone(world: World, right: Answers) -> None:
    """Each one more and one less, everywhere in all answers."""
    unnoticed: set[tuple[str, ...]] = set()
    for path in figures(right):
        for by in (-1, 1):
            answers = copy.deepcopy(right)
            put_at(answers, path, by)
            if not found(world, answers):
                unnoticed.add(path)
    assert unnoticed == ALONE


def figures(answers: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(answers, dict):
        for name, inner in cast("Answers", answers).items():
            yield from figures(inner, (*path, name))
    elif isinstance(answers, int) and not isinstance(answers, bool):
        yield path


def put_at(answers: Answers, path: tuple[str, ...], by: int) -> None:
    *way, name = path
    for step in way:
        answers = answers[step]
    answers[name] += by
