"""Health is progress: who falls silent is not alive, who waits says for what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.runtime.health import Health
from tests.runtime.small_app import SmallService


class Hand:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def health(hand: Hand) -> Health:
    return Health(monotonic=hand)


def test_a_process_lives_while_every_loop_gets_on(health: Health, hand: Hand) -> None:
    relay, consumer = health.component("relay", bound_seconds=10), health.component("consumer", bound_seconds=20)
    relay.progressed()
    consumer.progressed()
    assert health.live().status == "ok"

    hand.now += 10
    assert health.live().status == "ok"
    hand.now += 0.1
    report = health.live()
    assert report.status == "stopped"
    assert [(one.name, one.state) for one in report.components] == [("relay", "stopped"), ("consumer", "ok")]
    assert report.components[0].sentence == "Has shown no progress for more than 10 seconds."

    relay.progressed()
    assert health.live().status == "ok", "a loop that was only slow is alive again"


def test_who_waits_says_for_what_and_lives(health: Health, hand: Hand) -> None:
    consumer = health.component("consumer", bound_seconds=10)
    for _ in range(30):
        consumer.waiting("The database does not answer.")
        hand.now += 9

    report = health.live()
    assert report.status == "waiting"
    assert report.components[0].sentence == "The database does not answer."


def test_who_waits_in_silence_has_stopped(health: Health, hand: Hand) -> None:
    health.component("consumer", bound_seconds=10).waiting("The database does not answer.")
    hand.now += 11
    assert health.live().status == "stopped"


def test_a_loop_that_never_starts_has_stopped(health: Health, hand: Hand) -> None:
    health.component("consumer", bound_seconds=10)
    assert health.live().status == "waiting"
    hand.now += 11
    assert health.live().status == "stopped"


def test_a_loop_that_has_not_begun_is_not_silent_while_a_start_waits_for_something_else(
    health: Health, hand: Hand
) -> None:
    database, consumer = health.component("database", bound_seconds=float("inf")), health.component("consumer")
    for _ in range(100):
        database.waiting("The database does not answer yet.")
        health.starting()
        hand.now += 9
    assert health.live().status == "waiting"

    consumer.progressed()
    for _ in range(5):
        health.starting()
        hand.now += 9
    assert health.live().status == "stopped", "whoever has begun speaks for itself"


def test_who_has_given_up_stays_stopped(health: Health) -> None:
    consumer = health.component("consumer")
    consumer.stopped("Too many records became dead letters.")
    consumer.progressed()

    report = health.live()
    assert report.status == "stopped"
    assert report.components[0].sentence == "Too many records became dead letters."


def test_since_tells_how_long_a_state_has_lasted(health: Health) -> None:
    consumer = health.component("consumer")
    consumer.waiting("First.")
    first = health.live().components[0].since
    consumer.waiting("Second.")
    assert health.live().components[0].since == first
    consumer.progressed()
    assert health.live().components[0].since >= first


def test_a_process_is_ready_once_started_while_what_answers_need_works(health: Health) -> None:
    database = health.component("database", answers_need_it=True)
    relay = health.component("relay")
    database.progressed()
    assert health.ready().status == "waiting"

    health.started()
    relay.waiting("Another instance sends the events.")
    assert health.ready().status == "ok"

    database.waiting("The database does not answer.")
    assert health.ready().status == "waiting"

    database.progressed()
    health.stopping()
    assert health.ready().status == "stopped"


async def test_probes_are_answered_to_anybody(tmp_path: Path) -> None:
    small = SmallService(tmp_path)
    consumer = small.health.component("consumer")
    consumer.waiting("The broker does not answer.")
    statuses: dict[str, Any] = {}
    async with small.client(None) as client:
        answer = await client.get("/health/live")
        assert answer.json()["components"][0]["sentence"] == "The broker does not answer."
        statuses["waiting"] = answer.status_code
        statuses["not started"] = (await client.get("/health/ready")).status_code
        small.health.started()
        statuses["started"] = (await client.get("/health/ready")).status_code
        consumer.stopped("Stopped.")
        statuses["stopped"] = (await client.get("/health/live")).status_code

    assert statuses == {"waiting": 200, "not started": 503, "started": 200, "stopped": 503}
