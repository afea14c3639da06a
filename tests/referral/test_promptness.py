"""How many rounds a need waits for its first offer: what is counted, and that it is one round, at the latest two."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.referral.promptness import REMEMBERED, Promptness
from services.referral.rounds import Rounds
from tests.referral.house import House
from tests.referral.network import COUNTY, NOW, Network
from tests.referral.test_rounds import publish

SECOND = timedelta(seconds=1)


def counted(since: int, *begun: int) -> float:
    """The number for a need of that second, offered a place in the last of the rounds that began in these."""
    told: list[float] = []
    promptness = Promptness(told.append, lambda _: None)
    for second in begun:
        promptness.begins(COUNTY, NOW + second * SECOND)
    promptness.offered(COUNTY, NOW + since * SECOND)
    return told[0]


def test_the_first_round_that_begins_after_the_need_is_one_and_the_next_two():
    assert counted(5, 3, 4, 6) == 1
    assert counted(5, 4, 6, 7) == 2
    assert counted(5, 6, 7, 8, 9) == 4


def test_a_need_that_came_while_the_round_was_running_already_is_of_this_round():
    assert counted(5, 4) == 1


def test_who_waits_longer_than_rounds_are_remembered_is_counted_for_all_of_them():
    assert counted(0, *range(1, 2 * REMEMBERED)) == REMEMBERED


def test_rounds_of_another_county_do_not_count():
    told: list[float] = []
    promptness = Promptness(told.append, lambda _: None)
    for second in range(1, 6):
        promptness.begins("03404", NOW + second * SECOND)
    promptness.begins(COUNTY, NOW + SECOND)
    promptness.offered(COUNTY, NOW)
    assert told == [1]


def test_a_need_with_a_free_place_that_fits_is_offered_one_in_the_round_after_it_came():
    network = Network()
    network.publishes("course", seats=3)
    network.person("amal")
    network.round()
    for name in ("badr", "cem"):
        network.person(name)
        network.round()
        assert network.live(name).offer == network.offer().id


def test_a_need_whose_seat_somebody_else_took_meanwhile_is_offered_the_other_place_in_the_next_round():
    network = Network()
    network.publishes("near", seats=1)
    network.publishes("far", seats=1, district="034590014")
    network.person("amal")
    found = network.finds()
    network.person("badr")
    network.round()
    for data in found:
        network.asks(data)
    network.pool = None
    network.round()
    assert {network.live(name).offer for name in ("amal", "badr")} == {one.id for one in network.offers()}


@pytest.mark.asyncio(loop_scope="package")
async def test_a_running_service_counts_the_rounds_of_those_for_whom_there_was_a_place(house: House):
    told: list[float] = []
    rounds = Rounds(house.running, promptness=Promptness(told.append, lambda _: None))
    await publish(house, "course", 2)
    await house.people(["amal"])
    await rounds.run(COUNTY)
    assert told == [1]
    await house.people(["badr", "cem"])
    await rounds.run(COUNTY)
    assert len(told) == 2, "for one of them there was no place"
    await publish(house, "another", 1)
    await rounds.run(COUNTY)
    assert len(told) == 2, "a round had passed that one over"
