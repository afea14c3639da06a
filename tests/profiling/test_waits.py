"""How long people wait for their profile is measured once for each of them."""

from __future__ import annotations

from datetime import timedelta

from tests.profiling.talks import CASE, TALK_AT, arrival, booking, levels, profiling, record, whole_talk


def test_from_the_appointment_to_the_first_version_and_not_to_what_is_added_later() -> None:
    world = profiling()
    world.hears(arrival(), CASE)
    world.hears(booking(), CASE)
    world.now = TALK_AT + timedelta(hours=2)
    world.asks(record())
    world.now += timedelta(days=30)
    world.asks(record(answers=whole_talk(german=levels("a2"))))
    assert world.measured == [("appointment_to_profile", timedelta(hours=2))]


def test_who_is_talked_to_before_the_appointment_has_not_waited_and_without_one_nothing_is_measured() -> None:
    world = profiling()
    world.hears(arrival(), CASE)
    world.hears(booking(), CASE)
    world.now = TALK_AT - timedelta(days=1)
    world.asks(record())
    assert world.measured == [("appointment_to_profile", timedelta())]

    world = profiling()
    world.hears(arrival(), CASE)
    world.asks(record())
    assert world.measured == []
