"""Events carry what their readers read: each service is watched while it takes in one event of each type that it subscribes to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from schemas.contract import examples
from schemas.events import CATALOGUE, EventData, PersonErased
from schemas.topics import subscriptions
from services.intake.service import SERVICE as INTAKE
from services.profiling.service import SERVICE as PROFILING
from services.referral.service import SERVICE as REFERRAL
from services.reporting.service import SERVICE as REPORTING
from services.runtime.running import Service
from tests.given import World

SERVICES: Final = (INTAKE, PROFILING, REFERRAL, REPORTING)
NOW: Final = datetime(2016, 6, 1, 9, 30, tzinfo=UTC)
SUBJECT: Final = "6f1c2a0e-8d5b-4c7e-9a31-0b2d4f6a8c10"

Field = tuple[str, str]

READ_BY_NOBODY: Final[dict[Field, str]] = {
    ("ProfileRecorded", "version"): "leads to the version that profiling keeps; says nothing about the person",
    (
        "ReferralProposed",
        "by_hand",
    ): "how often counsellors know better is to be seen in the history; says nothing about the person",
    ("OfferPublished", "partner"): "about an offer, which anybody may know of",
    ("OfferPublished", "starts_on"): "about an offer, which anybody may know of",
    ("ReleasePublished", "period"): "for readers outside; no service subscribes to it",
    ("ReleasePublished", "vintage"): "for readers outside; no service subscribes to it",
}
"""Fields that no service reads, each with the reason why it is there all the same."""


@contextmanager
def watched() -> Iterator[set[Field]]:
    """The fields of events that are read meanwhile, by the name of the event's class."""
    seen: set[Field] = set()

    def look(self: EventData, name: str) -> Any:
        event = type(self)
        if name in event.model_fields:
            seen.add((event.__name__, name))
        return object.__getattribute__(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventData, "__getattribute__", look, raising=False)
        yield seen


def read_by(service: Service) -> set[Field]:
    """What a service reads of the events that it subscribes to, in the order of the catalogue; the erasure comes last."""
    world = World(service.logic, county="03459", now=NOW)
    subscribed = {event for events in subscriptions(service.name).values() for event in events}
    told = [event for event in CATALOGUE.values() if event in subscribed and event is not PersonErased]
    events = [event.model_validate(examples()[event.TYPE]) for event in told]
    with watched() as seen:
        for event in (*events, *([PersonErased()] if PersonErased in subscribed else [])):
            world.hears(event, SUBJECT)
    return seen


def test_every_field_of_every_event_is_read_by_a_subscriber_or_is_there_for_a_reason() -> None:
    fields = {(event.__name__, field) for event in CATALOGUE.values() for field in event.model_fields}
    read = {field for service in SERVICES for field in read_by(service)}
    assert fields - read == set(READ_BY_NOBODY)


def test_what_is_watched_is_seen() -> None:
    event = PersonErased()
    with watched() as seen:
        assert event.model_fields_set == set()
        assert seen == set()
        given = CATALOGUE["wegenetz.profiling.need-withdrawn.v1"].model_validate({"need": SUBJECT})
        assert getattr(given, "need", None) == SUBJECT
    assert seen == {("NeedWithdrawn", "need")}
