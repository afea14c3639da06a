"""What somebody needs to take part says something of their health: nobody hears of it without the consent for that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import Accessibility, Purpose
from schemas.events import AccessNeedsTold, ConsentGiven, ConsentWithdrawn, EventData, PersonMoved, ProfileRecorded
from services.profiling.model import Case
from services.runtime.errors import Refused
from tests.given import World
from tests.profiling.talks import CASE, NOW, arrival, profiling, record, whole_talk

CONSENT = ConsentGiven(purposes=(Purpose.ACCESSIBILITY,))
NO_MORE = ConsentWithdrawn(purposes=(Purpose.ACCESSIBILITY,))


def talk(*needs: str) -> Any:
    return record(answers=whole_talk(access_needs=list(needs)))


@pytest.fixture
def world() -> World:
    """Somebody has arrived; nothing but the transfer was asked."""
    started = profiling()
    started.hears(arrival(), CASE)
    return started


def told(world: World) -> list[tuple[Accessibility, ...]]:
    return [event.needs for event in world.told_of(AccessNeedsTold)]


def test_without_the_consent_the_talk_tells_nobody_what_the_person_needs(world: World) -> None:
    world.asks(talk("step-free"))
    assert told(world) == []
    assert "access_needs" not in ProfileRecorded.model_fields


def test_the_consent_may_come_before_the_talk_or_after_it(world: World) -> None:
    world.hears(CONSENT, CASE)
    world.asks(talk("step-free"))
    assert told(world) == [("step-free",)]
    later = profiling()
    later.hears(arrival(), CASE)
    later.asks(talk("step-free"))
    later.hears(CONSENT, CASE)
    assert told(later) == [("step-free",)]


def test_when_the_consent_is_withdrawn_it_is_taken_back(world: World) -> None:
    world.hears(CONSENT, CASE)
    world.asks(talk("hearing-loop", "step-free"))
    world.hears(NO_MORE, CASE)
    assert told(world) == [("step-free", "hearing-loop"), ()]


def test_nobody_hears_the_same_twice_nor_of_somebody_who_needs_nothing(world: World) -> None:
    world.hears(CONSENT, CASE)
    world.asks(talk())
    world.asks(talk("step-free"))
    world.asks(record(answers=whole_talk(access_needs=["step-free"], school_years=10)))
    assert told(world) == [("step-free",)]


EVENTS: list[EventData] = [
    CONSENT,
    NO_MORE,
    ConsentGiven(purposes=(Purpose.TRANSFER,)),
    ConsentWithdrawn(purposes=(Purpose.TRANSFER,)),
    PersonMoved(moved_on=NOW.date(), district=None),
    arrival(),
]


@given(st.lists(st.sampled_from([*EVENTS, talk(), talk("step-free"), talk("sign-language")]), max_size=12))
def test_whatever_happens_what_others_know_is_what_the_person_said_while_they_consent_and_nothing_otherwise(
    course: list[Any],
) -> None:
    world = profiling()
    for one in course:
        try:
            if isinstance(one, EventData):
                world.hears(one, CASE)
            else:
                world.asks(one)
        except Refused:
            continue  # the case cannot be worked on at present
    case = world.get(Case, CASE)
    known = (told(world) or [()])[-1]
    consents = case.obstacle is None and Purpose.ACCESSIBILITY in case.consents
    said = tuple(case.profile.answers["access_needs"]) if case.profile is not None else ()
    assert known == (said if consents else ())
