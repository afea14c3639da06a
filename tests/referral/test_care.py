"""Places for children: sought by themselves, or beside a course, where a parent has a seat only together with a place for each child."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import CancelReason, Role, ServiceKind
from schemas.events import PersonErased, ProfileRecorded, ReferralCancelled
from services.referral.commands import CloseOffer, OfferStanding, ProposeByHand, PublishOffer, SetSeats
from services.referral.contradictions import contradictions
from services.referral.matching import match
from services.referral.model import NeedState
from services.referral.offers import Offer, OfferTerms
from services.referral.reasons import Obstacle, reasons_for
from services.referral.service import SERVICE
from services.referral.whom import Whom
from services.runtime.catalogue import LANGUAGES, Catalogue
from services.runtime.errors import Refused
from tests.referral.house import House, key
from tests.referral.network import (
    COUNSELLOR,
    COUNTY,
    COURSE,
    MELLE,
    WHERE,
    Network,
    id_of,
    need_of,
    seeker,
    standing,
    terms,
)
from tests.referral.test_doors import put

CATALOGUE = Catalogue(SERVICE.messages)
CARE = id_of("care", "offer")
ID = id_of("course", "offer")
PLACE = ServiceKind.CHILD_CARE_PLACE


def places(*, accompanies: bool = True, **other: Any) -> OfferTerms:
    """Places for children from one to six in Melle."""
    said = {"sort": "child-care", "accompanies": accompanies, **other.pop("particulars", {})}
    return standing(partner="kita", particulars=said, **{"kind": PLACE, "ages": (1, 6), **other})


def course(**other: Any) -> OfferTerms:
    """A course with child care of its own."""
    return terms(child_care=True, particulars={"sort": "course", "care": CARE}, **other)


def open_course(seats: int, care: int) -> Network:
    network = Network()
    network.asks(PublishOffer(offer=CARE, terms=places(), seats=care))
    network.asks(PublishOffer(offer=ID, terms=course(), seats=seats))
    return network


def parent(network: Network, name: str, *ages: int) -> None:
    network.person(name)
    network.is_profiled(id_of(name, "case"), version=2, child_care_ages=ages)


@pytest.fixture
def network() -> Network:
    """Three seats and two places for children; a parent of two, a parent of one, and somebody without children, in this order."""
    world = open_course(3, 2)
    parent(world, "two", 2, 4)
    world.later(hours=1)
    parent(world, "one", 3)
    world.later(hours=1)
    world.person("none")
    return world


# --- beside a course --------------------------------------------------------------------------------------------------------


def test_a_parent_has_a_seat_only_together_with_a_place_for_each_child(network: Network):
    network.round()
    assert {name: network.state(name) for name in ("two", "one", "none")} == {
        "two": NeedState.HELD,
        "one": NeedState.WAITING,
        "none": NeedState.HELD,
    }
    assert (network.offer("course").free, network.offer("care").free) == (1, 0)


def test_a_place_that_becomes_free_lets_the_next_parent_in(network: Network):
    network.round()
    network.releases(network.live("two").id)
    network.refuses(network.live("two").id, another=False)
    assert network.offer("care").free == 2
    network.round()
    assert network.state("one") is NeedState.HELD
    assert network.offer("care").free == 1


def test_children_of_one_age_take_a_place_each():
    network = open_course(1, 1)
    parent(network, "twins", 3, 3)
    network.round()
    assert network.state("twins") is NeedState.WAITING


def test_where_a_child_is_too_old_for_the_places_there_is_no_seat_for_its_parent():
    network = open_course(1, 5)
    parent(network, "amal", 3, 9)
    network.round()
    assert network.state("amal") is NeedState.WAITING


def test_whoever_is_erased_leaves_the_seat_and_the_places(network: Network):
    network.round()
    network.hears(PersonErased(), id_of("two", "case"))
    assert (network.offer("course").taken, network.offer("care").taken) == (1, 0)


def test_fewer_places_than_are_held_take_the_seat_of_the_course_with_them(network: Network):
    network.round()
    network.accepted("two")
    since = network.need("two").since
    with pytest.raises(Refused, match="capacity-below-held"):
        network.asks(SetSeats(offer=CARE, seats=1, partner="kita"))
    lost = network.live("two").id
    answer = network.asks(SetSeats(offer=CARE, seats=1, partner="kita", confirm_affected=True)).answer
    assert isinstance(answer, OfferStanding)
    assert (answer.affected, answer.seats, answer.held) == ((lost,), 1, 0)
    assert [event.reason for event in network.told_of(ReferralCancelled)] == [CancelReason.SEAT_LOST]
    assert (network.state("two"), network.need("two").since) == (NeedState.WAITING, since)
    assert network.offer("course").taken == 1
    network.round()
    assert network.state("one") is NeedState.HELD, "one place is left, and one child needs it"


def test_a_course_that_is_closed_gives_its_places_for_children_back(network: Network):
    network.round()
    network.asks(CloseOffer(offer=ID, partner="vhs"))
    assert network.offer("care").taken == 0


def test_nobody_has_a_place_beside_a_course_without_a_seat_in_it():
    network = open_course(1, 3)
    network.person("amal", needs=PLACE)
    network.is_profiled(id_of("amal", "case"), version=2, child_care_ages=(3,))
    network.round()
    assert network.state("amal", PLACE) is NeedState.WAITING
    with pytest.raises(Refused, match="rule-shuts-out"):
        by_hand(network, "amal", CARE, PLACE)


def test_by_hand_too_a_parent_needs_the_places():
    network = open_course(2, 1)
    parent(network, "two", 2, 4)
    with pytest.raises(Refused, match="no-care-place-free"):
        by_hand(network, "two", ID)
    parent(network, "one", 3)
    by_hand(network, "one", ID)
    assert network.offer("care").free == 0


def by_hand(network: Network, name: str, offer: str, kind: ServiceKind = COURSE) -> None:
    command = ProposeByHand(case=id_of(name, "case"), need=need_of(name, kind), offer=offer)
    network.asks(command, actor=COUNSELLOR)


def test_that_only_the_child_care_is_full_is_told_to_the_counsellor(network: Network):
    network.round()
    told = reasons_for(network.case("one"), network.need("one"), network.offers(), (), WHERE)
    assert [path.conditions for path in told.paths] == [(Obstacle.CARE,)]


def test_a_course_names_places_that_are_beside_courses():
    network = Network()
    with pytest.raises(Refused, match="care-not-found"):
        network.asks(PublishOffer(offer=ID, terms=course(), seats=3))
    network.asks(PublishOffer(offer=CARE, terms=places(accompanies=False), seats=3))
    with pytest.raises(Refused, match="care-not-found"):
        network.asks(PublishOffer(offer=ID, terms=course(), seats=3))


FAMILIES = st.lists(st.lists(st.integers(0, 8), max_size=3), min_size=1, max_size=9)


@given(FAMILIES, st.integers(0, 6), st.integers(0, 6), st.integers(0, 5))
def test_no_round_gives_away_more_places_for_children_than_there_are_and_none_that_could_be_had_is_left(
    families: list[list[int]], near: int, far: int, care: int
):
    people = [seeker(str(at), child_care_ages=tuple(sorted(ages))) for at, ages in enumerate(families)]
    offers = [
        Offer(id=CARE, terms=places(ages=(0, 8)), seats=care),
        Offer(id=id_of("near"), terms=course(), seats=near),
        Offer(id=id_of("far"), terms=course(district="034590014"), seats=far),
    ]
    found = match(people, offers, WHERE, "seed")
    assert found == match(reversed(people), reversed(offers), WHERE, "seed")
    children = {one.need: len(one.child_care_ages) for one in people}
    used = sum(children[pair.need] for pair in found.pairs)
    assert used <= care
    left = near + far - len(found.pairs)
    assert left >= 0
    waiting = [children[one.need] for one in found.unplaced]
    assert not left or all(one > care - used for one in waiting)


# --- by themselves ----------------------------------------------------------------------------------------------------------


def test_a_place_for_a_child_is_found_by_the_childs_age():
    network = Network()
    network.asks(PublishOffer(offer=CARE, terms=places(accompanies=False, ages=(3, 6)), seats=1))
    for name, age in (("small", 1), ("right", 4)):
        network.person(name, needs=PLACE)
        network.is_profiled(id_of(name, "case"), version=2, child_care_ages=(age,))
    network.round()
    assert network.state("small", PLACE) is NeedState.WAITING
    assert network.state("right", PLACE) is NeedState.HELD


def wrong() -> Iterator[tuple[OfferTerms, list[tuple[str, str]]]]:
    yield places(particulars={"hours_a_week": 25, "municipality": f"{MELLE}024"}), []
    yield places(ages=None), [("ages", "care-without-ages")]
    elsewhere = places(particulars={"municipality": "034590014014"})
    yield elsewhere, [("particulars.municipality", "municipality-of-another-district")]
    yield places(kind=ServiceKind.LOTSE), [("particulars.sort", "sort-of-another-kind")]
    uncared = terms(particulars={"sort": "course", "care": CARE})
    yield uncared, [("particulars.care", "care-ages-without-care")]


@pytest.mark.parametrize(("offered", "expected"), [*wrong()])
def test_places_for_children_do_not_contradict_themselves(offered: OfferTerms, expected: list[tuple[str, str]]):
    found = [*contradictions(offered, 3, COUNTY, WHERE.settings)]
    assert [(one.field, one.code) for one in found] == expected
    for one in found:
        assert all(CATALOGUE.text(language, f"field.{one.code}", one.params).endswith(".") for language in LANGUAGES)


def test_for_how_long_a_child_is_looked_after_is_told():
    told = places(particulars={"hours_a_week": 25}, dayparts=["weekday-morning"])
    assert Whom(CATALOGUE, "en").times(told) == "25 hours a week, weekday mornings"


@pytest.mark.asyncio(loop_scope="package")
async def test_over_http_and_in_the_books_seats_and_places_go_together(house: House):
    async with house.client(Role.COORDINATOR) as coordinator:
        said = {"sort": "child-care", "hours_a_week": 20, "accompanies": True}
        care = {**places().model_dump(mode="json"), "particulars": said, "seats": 2}
        assert (await coordinator.put(f"/v1/offers/{CARE}", json=care, headers=key())).status_code == 200
        beside = {"sort": "course", "care": CARE}
        assert (await put(coordinator, child_care=True, particulars=beside)).status_code == 200
        await house.people(["amal"])
        two = {"version": 2, "complete": True, "german": {"writing": "a1"}, "child_care_ages": (2, 3)}
        await house.hear((ProfileRecorded.model_validate(two), id_of("amal", "case")))
        await house.round()
        listed = (await coordinator.get("/v1/offers")).json()["items"]
        assert {one["offer"]: one["held"] for one in listed} == {ID: 1, CARE: 2}
    books = await house.books()
    assert (books["held"], books["balanced"]) == (1, True)
