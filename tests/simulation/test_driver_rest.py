"""Rest: when nothing moves any more, and who is named when something always does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simulation.doors import Doors
from simulation.rest import NoRest, Reading, move_clocks, reasons, until_at_rest
from tests.simulation.scripted import AT_REST, Request, Scripted, ScriptedService

SERVICES = ("intake", "profiling", "referral", "reporting")
TOPIC = "intake.events.v1"
READERS = ("profiling", "referral", "reporting")


def readings(**changes: dict[str, Any]) -> dict[str, Reading]:
    """All four services at rest, but for what is said."""
    return {name: Reading.model_validate(AT_REST | changes.get(name, {})) for name in SERVICES}


def test_services_with_nothing_to_do_are_at_rest() -> None:
    assert reasons(readings()) == {}


@pytest.mark.parametrize(
    ("busy", "said"),
    [
        ({"unpublished": 2}, "referral has 2 outbox documents to publish."),
        ({"unfinished_commands": 1}, "referral is settling 1 commands."),
        ({"done_to": None}, "referral has not done its deadlines and rounds up to 2016-01-04T08:00:00.000Z."),
        (
            {"done_to": "2016-01-03T08:00:00Z"},
            "referral has not done its deadlines and rounds up to 2016-01-04T08:00:00.000Z.",
        ),
    ],
)
def test_whoever_has_something_to_do_is_named(busy: dict[str, Any], said: str) -> None:
    assert reasons(readings(referral=busy)) == {"referral": [said]}


def test_everything_published_must_be_settled_by_each_reader_of_the_topic() -> None:
    published = {"published": {TOPIC: {"0": 5, "3": 2}}}
    settled = {name: {"settled": {TOPIC: {"0": 5, "3": 2}}} for name in READERS}
    assert reasons(readings(intake=published, **settled)) == {}
    settled["referral"] = {"settled": {TOPIC: {"0": 4}}}
    assert reasons(readings(intake=published, **settled)) == {
        "referral": [
            f"referral has settled 4 of 5 records of {TOPIC} in partition 0.",
            f"referral has settled 0 of 2 records of {TOPIC} in partition 3.",
        ]
    }


def test_what_was_settled_beyond_what_a_restarted_owner_remembers_is_no_unrest() -> None:
    settled = {name: {"settled": {TOPIC: {"0": 9}}} for name in READERS}
    assert reasons(readings(intake={"published": {TOPIC: {"0": 1}}}, **settled)) == {}


async def test_one_reading_is_not_enough_since_something_may_be_between_two_services(tmp_path: Path) -> None:
    moving = {"published": {TOPIC: {"0": 1}}, "settled": {}}
    settled = {"settled": {TOPIC: {"0": 1}}}
    steps = [AT_REST, AT_REST | moving, AT_REST | moving]

    def intake(_: Request) -> Scripted:
        return Scripted(steps.pop(0) if len(steps) > 1 else steps[0])

    async with services(tmp_path, intake=intake, **dict.fromkeys(READERS, AT_REST | settled)) as (doors, asked):
        found = await until_at_rest(doors)
        assert found["intake"].published == {TOPIC: {"0": 1}}
        assert len(asked["intake"].requests) == 3


async def test_who_does_not_come_to_rest_is_named_when_nothing_has_changed_for_long(tmp_path: Path) -> None:
    async with services(tmp_path, profiling=AT_REST | {"unpublished": 7}) as (doors, _):
        with pytest.raises(NoRest, match="profiling has 7 outbox documents to publish"):
            await until_at_rest(doors, bound=0.1)


async def test_who_waits_for_what_an_owner_said_before_the_log_began_anew_waits_in_vain_for_a_moment_only(
    tmp_path: Path,
) -> None:
    settled = {"settled": {TOPIC: {"0": 3}}}
    said = [{TOPIC: {"0": 5}}, {TOPIC: {"0": 3}}]

    def intake(_: Request) -> Scripted:
        return Scripted(AT_REST | {"published": said.pop(0) if len(said) > 1 else said[0]})

    async with services(tmp_path, intake=intake, **dict.fromkeys(READERS, AT_REST | settled)) as (doors, _):
        found = await until_at_rest(doors, bound=5.0)
        assert found["intake"].published == {TOPIC: {"0": 3}}


async def test_with_real_time_a_turn_must_have_begun_after_everything_stood_still(tmp_path: Path) -> None:
    """The clock of each reading is later than what has been done by then; that alone is no unrest."""
    times = iter(range(100))

    def referral(_: Request) -> Scripted:
        second = next(times)
        done = max(0, second - second % 5)
        times_now = {"now": f"2016-01-04T08:00:{second:02d}.500Z", "done_to": f"2016-01-04T08:00:{done:02d}.000Z"}
        return Scripted(AT_REST | times_now)

    async with services(tmp_path, referral=referral) as (doors, asked):
        await until_at_rest(doors, real_time=True)
        assert len(asked["referral"].requests) == 7, "the turn of second 5 is the first one after second 0"
        assert len(asked["intake"].requests) == 2, "who is calm is asked only to confirm it"


async def test_referral_moves_last_and_only_when_the_others_have_come_to_rest(tmp_path: Path) -> None:
    order: list[str] = []
    unpublished = iter([3, 2, 0])

    def watched(name: str) -> Any:
        moved: dict[str, Any] = {}

        def answer(request: Request) -> Scripted:
            if request.method == "PUT":
                order.append(f"{name} moves")
                moved.update(now="2016-01-05T07:00:00.000Z", done_to="2016-01-05T07:00:00.000Z")
                return Scripted(moved)
            waiting = next(unpublished, 0) if name == "intake" and moved else 0
            if waiting:
                order.append(f"{name} still sends")
            return Scripted(AT_REST | moved | {"unpublished": waiting})

        return answer

    async with services(tmp_path, **{name: watched(name) for name in SERVICES}) as (doors, _):
        await move_clocks(doors, datetime(2016, 1, 5, 7, tzinfo=UTC))
    assert set(order[:3]) == {"intake moves", "profiling moves", "reporting moves"}
    assert order[3:] == ["intake still sends", "intake still sends", "referral moves"]


@asynccontextmanager
async def services(folder: Path, **scripts: Any) -> AsyncIterator[tuple[Doors, dict[str, ScriptedService]]]:
    """The four services; each answers by its script, or always the same, or that it is at rest."""

    def script_of(name: str) -> Any:
        script = scripts.get(name, AT_REST)
        return script if callable(script) else lambda _: Scripted(script)

    async with AsyncExitStack() as opened:
        asked = {name: await opened.enter_async_context(ScriptedService(script_of(name))) for name in SERVICES}
        urls = {name: service.url for name, service in asked.items()}
        yield await opened.enter_async_context(Doors.of(urls, folder / "issuer.json", "03459")), asked
