"""A course below its minimum when enrolment ends: what is proposed to the coordinator, and what follows from the decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from schemas.codes import CancelReason, ReasonGroup, Role
from schemas.ends import group_of
from schemas.events import ReferralCancelled
from services.referral.commands import DecideCourse, OfferStanding, Propose, PublishOffer
from services.referral.model import NeedState
from services.referral.planner import Method
from services.referral.planning import Proposal, held_in, is_due, proposals
from services.referral.pool import seekers_of
from services.runtime.calendar import berlin_day
from services.runtime.errors import Refused
from tests.referral.house import House, key
from tests.referral.network import COURSE, NOW, TODAY, WHERE, Network, id_of, offer, terms
from tests.referral.test_doors import partner_of, put

SOON = timedelta(days=14)


def course(network: Network, name: str, minimum: int, seats: int = 5) -> str:
    particulars = {"sort": "course", "minimum": minimum}
    network.asks(PublishOffer(offer=id_of(name, "offer"), terms=terms(particulars=particulars), seats=seats))
    return id_of(name, "offer")


def planned(network: Network) -> dict[str, Proposal]:
    offers, where = network.offers(), replace(WHERE, today=berlin_day(network.now))
    due = [one for one in offers if is_due(one, berlin_day(network.now), SOON)]
    waiting = [one for case in network.cases() for one in seekers_of(case, COURSE)]
    return {one.offer.id: one for one in proposals(due, offers, waiting, held_in(network.cases(), due), where, "seed")}


def decides(network: Network, name: str, *, takes_place: bool) -> OfferStanding:
    answer = network.asks(DecideCourse(offer=id_of(name, "offer"), takes_place=takes_place)).answer
    assert isinstance(answer, OfferStanding)
    return answer


@pytest.fixture
def network() -> Network:
    """Two courses that need three participants each. Two people hold a seat in one, one person in the other."""
    world = Network()
    course(world, "one", 3)
    world.person("amal")
    world.person("badr")
    world.round()
    course(world, "two", 3)
    world.asks(PublishOffer(offer=id_of("one", "offer"), terms=world.offer("one").terms or terms(), seats=2))
    world.person("cem")
    world.round()
    world.asks(PublishOffer(offer=id_of("one", "offer"), terms=world.offer("one").terms or terms(), seats=5))
    return world


def test_of_two_courses_that_are_too_empty_one_runs_with_the_people_of_both(network: Network):
    found = planned(network)
    one, two = found[id_of("one", "offer")], found[id_of("two", "offer")]
    assert (one.runs, one.taking_part, two.runs) == (True, 3, False)
    assert two.needed == 2
    assert two.plan.method is Method.EXACT


def test_a_course_that_is_cancelled_lets_everybody_wait_on_and_the_next_round_finds_the_other(network: Network):
    network.accepted("cem")
    since, referral = network.need("cem").since, network.live("cem").id
    assert decides(network, "two", takes_place=False).affected == (referral,)
    assert [event.reason for event in network.told_of(ReferralCancelled)] == [CancelReason.COURSE_CANCELLED]
    assert group_of(CancelReason.COURSE_CANCELLED) is ReasonGroup.PROVIDER
    assert (network.state("cem"), network.need("cem").since) == (NeedState.WAITING, since)
    wanted = network.round()
    need = network.need("cem").id
    assert Propose(case=id_of("cem", "case"), need=need, offer=id_of("one", "offer")) in wanted
    assert not planned(network), "with three people there is nothing to decide any more"


def test_a_cancelled_course_is_in_no_round(network: Network):
    decides(network, "one", takes_place=False)
    decides(network, "two", takes_place=False)
    for name in ("dana", "emil"):
        network.person(name)
    assert not [one for one in network.round() if isinstance(one, Propose)]
    assert all(network.state(name) is NeedState.WAITING for name in ("amal", "badr", "cem", "dana", "emil"))


def test_a_course_that_is_to_run_all_the_same_is_decided_and_nobody_loses_anything(network: Network):
    assert decides(network, "two", takes_place=True).affected == ()
    assert id_of("two", "offer") not in planned(network)
    assert network.state("cem") is NeedState.HELD
    told = len(network.told)
    decides(network, "two", takes_place=True)
    assert len(network.told) == told


def test_when_enrolment_has_ended_nobody_else_can_come_and_the_plan_reckons_so(network: Network):
    network.now = NOW + timedelta(days=15)
    found = planned(network)
    assert [one.runs for one in found.values()] == [False, False]
    assert sorted(one.needed for one in found.values()) == [1, 2]


def test_whoever_waits_fills_a_course_in_the_plan(network: Network):
    network.person("dana")
    network.person("emil")
    network.person("finn")
    assert all(one.runs for one in planned(network).values())


@pytest.mark.parametrize(
    ("held", "minimum", "day", "due"),
    [
        (0, 2, TODAY, True),
        (2, 2, TODAY, False),
        (0, None, TODAY, False),
        (0, 2, date(2016, 5, 31), False),
        (0, 2, date(2016, 7, 20), False),
        (0, 2, date(2016, 7, 13), True),
    ],
)
def test_due_is_what_is_below_its_minimum_shortly_before_and_after_the_end_of_enrolment(
    held: int, minimum: int | None, day: date, due: bool
):
    # Enrolment ends on 15 June.
    taken = [{"referral": str(at), "case": str(at)} for at in range(held)]
    one = offer("one", 5, particulars={"sort": "course", "minimum": minimum})
    filled = type(one).model_validate({**one.model_dump(), "holders": taken})
    assert is_due(filled, day, SOON) is due


@pytest.mark.parametrize(
    ("name", "takes_place", "refused"),
    [("full", False, "minimum-reached"), ("free", False, "course-without-minimum"), ("none", True, "offer-not-found")],
)
def test_only_a_course_below_its_minimum_is_decided_on(name: str, takes_place: bool, refused: str):
    network = Network()
    course(network, "full", 1, seats=1)
    network.person("amal")
    network.round()
    network.publishes("free")
    with pytest.raises(Refused, match=refused):
        decides(network, name, takes_place=takes_place)


@pytest.mark.asyncio(loop_scope="package")
async def test_the_coordinator_sees_what_is_proposed_and_decides_and_nobody_else_does(house: House):
    offered = {"particulars": {"sort": "course", "minimum": 4}, "seats": 5}
    async with partner_of(house) as partner, house.client(Role.COORDINATOR) as coordinator:
        assert (await put(partner, **offered)).status_code == 200
        await house.people(["amal", "badr"])
        await house.round()
        (line,) = (await coordinator.get("/v1/planning/courses")).json()["courses"]
        assert (line["held"], line["minimum"], line["takes_place"], line["needed"]) == (2, 4, False, 2)
        assert "at least 2 more people would be needed" in line["says"]
        assert not (await coordinator.get("/v1/planning/courses?within_days=0")).json()["courses"]
        path, body = f"/v1/offers/{line['offer']}/decision", {"takes_place": False}
        assert (await partner.post(path, json=body, headers=key())).status_code == 403
        assert (await partner.get("/v1/planning/courses")).status_code == 403
        decided = await coordinator.post(path, json=body, headers=key())
        assert (decided.status_code, len(decided.json()["affected"])) == (200, 2)
        assert not (await coordinator.get("/v1/planning/courses")).json()["courses"]
    books = await house.books()
    assert (books["needs"]["waiting"], books["held"]) == (2, 0)
