"""What a round remembers of those who wait, and whom it looks at: nobody is overlooked, and nobody is looked at for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from services.referral import pool
from services.referral.commands import Propose, Taken
from services.referral.matching import Matching, match
from services.referral.model import NeedState
from services.referral.pool import Pool
from services.referral.seekers import Seeker, seeker_of
from tests.referral.network import ADVICE, Network, id_of, need_of

CROWD = [f"person {number}" for number in range(30)]


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For each round how many needs it handed to matching."""
    counts: list[int] = []

    def counting(seekers: Iterable[Seeker], *rest: Any) -> Matching:
        handed = list(seekers)
        counts.append(len(handed))
        return match(handed, *rest)

    monkeypatch.setattr(pool, "match", counting)
    return counts


def test_who_waits_is_looked_at_once_and_then_only_for_a_seat_that_fits(looked_at: list[int]):
    network = Network()
    network.publishes("course", seats=1)
    network.publishes("for others", seats=1, sexes=["female"])
    network.person("amal")
    network.round()
    for name in CROWD:
        network.person(name)
    network.round()
    network.round()
    assert looked_at == [1, 30, 0]

    network.releases(network.live().id)
    network.refuses(network.live().id, another=False)
    network.round()
    network.round()
    assert looked_at[3:] == [30, 0]


def test_of_those_who_wait_only_whom_the_news_is_about_is_looked_at(looked_at: list[int]):
    network = Network()
    network.publishes("course", seats=1)
    for name in CROWD:
        network.person(name)
    network.round()
    network.person("amal")
    network.round()
    assert looked_at == [30, 1]


def test_when_other_offers_are_open_everybody_of_that_kind_is_judged_anew(looked_at: list[int]):
    network = Network()
    network.publishes("course", seats=0, sexes=["female"])
    for name in CROWD:
        network.person(name)
    network.round()
    network.publishes("course", seats=2)
    network.round()
    assert looked_at == [30, 30]
    assert sum(network.state(name) is NeedState.HELD for name in CROWD) == 2
    network.publishes("advice", kind=ADVICE)
    network.round()
    assert looked_at[2:] == [0]


def test_a_course_that_closes_for_enrolment_leaves_nobody_with_a_wrong_reason():
    network = Network()
    network.publishes("course", seats=0, starts_on="2016-07-01", enrol_until="2016-06-10")
    network.person("amal")
    network.round()
    assert network.need("amal").told == "no-free-seat"
    network.now += timedelta(days=30)
    network.round()
    assert network.need("amal").told == "no-offer-of-this-kind"


def test_whoever_loses_a_place_to_somebody_faster_is_read_again_and_told():
    network = Network()
    network.publishes("course", seats=1)
    for name in ("amal", "badr"):
        network.person(name)
    remembered = network.pool = Pool()
    for case in network.cases():
        remembered.learn(case)
    place = next(one for one in network.looks(remembered) if isinstance(one, Propose))
    faster, slower = ("amal", "badr") if place.need == need_of("badr") else ("badr", "amal")
    network.asks(Propose(case=id_of(faster, "case"), need=need_of(faster), offer=place.offer))

    remembered.settled(place, taken=network.asks(place).answer == Taken(done=True))

    assert remembered.unsure == {place.case}
    network.round()
    assert (network.state(faster), network.state(slower)) == (NeedState.HELD, NeedState.WAITING)
    assert network.need(slower).told == "no-free-seat"
    assert network.round() == []


def test_what_is_handed_to_matching_is_what_is_known_of_the_person_to_the_type(monkeypatch: pytest.MonkeyPatch):
    """Values that are kept once may be equal although they are of two sorts: no time that was told, and no certificate."""
    handed: list[Seeker] = []

    def keeping(seekers: Iterable[Seeker], *rest: Any) -> Matching:
        handed.extend(seekers)
        return match(handed, *rest)

    monkeypatch.setattr(pool, "match", keeping)
    network = Network()
    network.publishes("course", seats=1)
    case = network.person("amal")
    network.is_profiled(case, version=2, available=(), certificates=())
    network.round()
    known = seeker_of(network.case("amal"), network.need("amal"))
    (one,) = handed
    assert known is not None
    for name in Seeker.__slots__:
        assert type(getattr(one, name)) is type(getattr(known, name)), name
        assert getattr(one, name) == getattr(known, name)
