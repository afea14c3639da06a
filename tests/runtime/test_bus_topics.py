"""Topics are brought to what is wanted: created, widened, put right; never shrunk, and a plan alone changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.embedded.engines import Engines
from services.runtime.bus import Topic, TopicChange, TopicRefused, apply_topics
from services.runtime.bus.topics import differences

DAY_MS = 24 * 60 * 60 * 1000
WANTED = Topic("bank.events.v1", 2, 29 * DAY_MS, replication=3)
AS_WANTED = {name: (value, True) for name, value in WANTED.settings.items()}
COPIES = [3, 3]


@pytest.fixture
def small(own_prefix: str) -> Topic:
    return Topic(f"{own_prefix}.events.v1", 2, 3_600_000)


async def words(kafka: str, topic: Topic, *, dry_run: bool = False) -> list[str]:
    return [str(change) for change in await apply_topics(kafka, [topic], dry_run=dry_run)]


async def test_a_topic_is_created_once_and_a_plan_changes_nothing(engines: Engines, small: Topic) -> None:
    create = [f"create {small.name} with 2 partitions"]
    assert await words(engines.kafka, small, dry_run=True) == create
    assert await words(engines.kafka, small) == create
    assert await words(engines.kafka, small) == []


@pytest.mark.parametrize(
    ("otherwise", "said"),
    [({"partitions": 4}, "add partitions to"), ({"retention_ms": 7_200_000}, "change settings of")],
)
async def test_what_a_broker_cannot_do_is_told_and_not_passed_over(
    engines: Engines, small: Topic, otherwise: dict[str, int], said: str
) -> None:
    """The embedded broker creates topics and does no more; its topics are made anew at each start."""
    await apply_topics(engines.kafka, [small])
    other = replace(small, **otherwise)
    (planned,) = await words(engines.kafka, other, dry_run=True)
    assert planned.startswith(f"{said} {small.name}: ")
    with pytest.raises(TopicRefused, match=f"The broker has no command to {said}"):
        await apply_topics(engines.kafka, [other])


def test_a_topic_that_is_as_it_should_be_is_left_alone() -> None:
    assert [*differences(WANTED, COPIES, AS_WANTED)] == []
    assert [*differences(WANTED, [3, 3, 3], AS_WANTED)] == [], "a topic is never made narrower"


def test_a_topic_that_keeps_records_too_briefly_is_put_right_and_keeps_what_else_somebody_set() -> None:
    briefly = AS_WANTED | {"retention.ms": (str(7 * DAY_MS), True)}
    others = {"max.message.bytes": ("2000000", True), "compression.type": ("producer", False)}
    (change,) = differences(WANTED, COPIES, briefly | others)
    assert str(change) == "change settings of bank.events.v1: retention.ms 604800000 to 2505600000"
    assert change.settings == WANTED.settings | {"max.message.bytes": "2000000"}


@pytest.mark.parametrize("kept", [90 * DAY_MS, -1])
def test_a_topic_that_keeps_records_for_too_long_is_told_and_left_since_a_shorter_time_deletes(kept: int) -> None:
    settings = AS_WANTED | {"retention.ms": (str(kept), True), "segment.ms": ("604800000", True)}
    left, change = differences(WANTED, COPIES, settings)
    assert left.is_left
    assert str(left).startswith(f"leave bank.events.v1 keeping records for {kept} ms instead of 2505600000: ")
    assert str(change) == "change settings of bank.events.v1: segment.ms 604800000 to 43200000"
    assert change.settings["retention.ms"] == str(kept), "a setting that is not sent along would be lost"


async def test_a_plan_is_shown_whole_before_its_first_step_and_a_no_changes_nothing(
    engines: Engines, small: Topic
) -> None:
    shown: list[list[str]] = []

    def no(plan: list[TopicChange]) -> bool:
        shown.append([*map(str, plan)])
        return False

    other = replace(small, name=f"{small.name}.more")
    await apply_topics(engines.kafka, [small, other], agreed=no)
    assert shown == [[f"create {small.name} with 2 partitions", f"create {other.name} with 2 partitions"]]
    assert len(await words(engines.kafka, small, dry_run=True)) == 1, "it is still to be made"


def test_a_topic_without_settings_of_its_own_is_given_those_in_which_the_brokers_differ() -> None:
    of_the_broker = {"cleanup.policy": ("delete", False), "retention.ms": ("604800000", False)}
    (change,) = differences(WANTED, COPIES, of_the_broker | {"segment.ms": ("604800000", False)})
    assert change.settings == {"retention.ms": "2505600000", "segment.ms": "43200000"}


def test_what_a_broker_does_not_tell_is_not_compared() -> None:
    assert [*differences(WANTED, COPIES, {})] == []


def test_a_wrong_number_of_copies_is_told_and_left_to_an_operator() -> None:
    (change,) = differences(WANTED, [1, 3], AS_WANTED)
    assert str(change).startswith("leave bank.events.v1 with 1 to 3 copies of each partition instead of 3: ")
    assert change.is_left
