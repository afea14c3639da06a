"""A withdrawal of consent takes effect at once, also behind a record that nobody can read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.codes import Purpose
from schemas.events import ConsentGiven, ConsentWithdrawn, ReferralCancelled
from services.referral.model import NeedState
from services.runtime.reading import Resolution
from services.runtime.records import letter_id
from services.runtime.settle import Result
from tests.referral.house import House
from tests.referral.network import COUNTY, id_of
from tests.referral.test_rounds import publish, told

pytestmark = pytest.mark.asyncio(loop_scope="package")

AMAL = id_of("amal", "case")


async def test_a_withdrawal_behind_an_unreadable_record_frees_the_seat_at_once_and_once(house: House):
    await publish(house, "course", 1)
    await house.people(["amal"])
    await house.round()
    given = house.record(ConsentGiven(purposes=(Purpose.LANGUAGE_COURSES,)), AMAL)
    withdrawn = house.record(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), AMAL)

    assert await house.take(replace(given, value=b"{"), withdrawn) == [Result.DEAD, Result.PARKED]
    case = await house.case("amal")
    assert [case.state_of(need) for need in case.needs] == [NeedState.WITHDRAWN]
    assert (await house.books())["held"] == 0
    assert await told(house, ReferralCancelled) == 1
    await house.round()
    assert (await house.books())["held"] == 0

    letter = Resolution(COUNTY, letter_id(COUNTY, replace(given, value=b"{")), "replayed", {"by": "operator"})
    assert await house.take(given, resolution=letter) == [Result.APPLIED]
    case = await house.case("amal")
    assert [case.state_of(need) for need in case.needs] == [NeedState.WITHDRAWN]
    assert Purpose.TRANSFER not in case.consents
    assert await told(house, ReferralCancelled) == 1
