"""What holds for every event: it cannot be changed, it tolerates newer writers, and it has no room for a name."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.codes import Purpose, ServiceKind, purpose_of
from schemas.contract import examples, json_schema
from schemas.events import CATALOGUE, AppointmentBooked, ConsentGiven, EventData, PersonErased, source_of

EVENTS = pytest.mark.parametrize("event", CATALOGUE.values(), ids=lambda event: event.__name__)


def strings_of(node: Any) -> list[dict[str, Any]]:
    """Every place of a JSON Schema where text may stand."""
    if isinstance(node, dict):
        below = [found for value in node.values() for found in strings_of(value)]
        return [node, *below] if node.get("type") == "string" else below
    if isinstance(node, list):
        return [found for value in node for found in strings_of(value)]
    return []


@EVENTS
def test_an_event_has_no_field_for_free_text(event: type[EventData]) -> None:
    for text in strings_of(json_schema(event)):
        assert text.keys() & {"pattern", "enum", "const"} or text.get("format") in {"date", "date-time"}, text


@EVENTS
def test_a_reader_ignores_fields_that_it_does_not_know(event: type[EventData]) -> None:
    payload = examples()[event.TYPE]
    assert event.model_validate(payload | {"shoe_size": 41}) == event.model_validate(payload)


@EVENTS
def test_an_event_is_written_and_read_back_as_it_was(event: type[EventData]) -> None:
    first = event.model_validate(examples()[event.TYPE])
    assert event.model_validate_json(first.model_dump_json()) == first


@EVENTS
def test_an_event_names_its_owner_in_its_type(event: type[EventData]) -> None:
    assert source_of(event) in {"intake", "profiling", "referral", "reporting"}


def test_no_two_events_have_the_same_type() -> None:
    assert len({event.__name__ for event in CATALOGUE.values()}) == len(CATALOGUE)


def test_an_event_cannot_be_changed() -> None:
    given = ConsentGiven(purposes=(Purpose.FAMILY,))
    with pytest.raises(ValidationError):
        given.purposes = (Purpose.LABOUR,)  # pyright: ignore[reportAttributeAccessIssue]


def test_an_event_may_be_empty() -> None:
    assert PersonErased.model_validate_json(b"{}") == PersonErased()


def test_an_instant_without_a_zone_is_refused() -> None:
    booked = examples()[AppointmentBooked.TYPE]
    with pytest.raises(ValidationError):
        AppointmentBooked.model_validate(booked | {"starts_at": "2016-03-08T09:00:00"})


def test_each_kind_of_service_needs_a_consent_that_is_not_the_one_of_the_counter() -> None:
    needed = {kind: purpose_of(kind) for kind in ServiceKind}
    assert Purpose.TRANSFER not in needed.values()
    assert {kind for kind, purpose in needed.items() if purpose is Purpose.LANGUAGE_COURSES} == {
        kind for kind in ServiceKind if "course" in kind or "german" in kind
    }
    assert needed[ServiceKind.INTERPRETER] is Purpose.INTERPRETERS
    assert needed[ServiceKind.LOTSE] is Purpose.VOLUNTEERS
    assert needed[ServiceKind.CHILD_CARE_PLACE] is Purpose.FAMILY
    assert needed[ServiceKind.RECOGNITION_COUNSELLING] is Purpose.LABOUR
    assert needed[ServiceKind.HOUSING] is Purpose.ADVICE
