"""Who owns, who reads: `schemas/topics.yaml` fits the event classes, and each service gets its subscription from it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.events import (
    CATALOGUE,
    AccessNeedsTold,
    AppointmentBooked,
    AppointmentReleased,
    ArrivalCounted,
    ArrivalRegistered,
    ConsentGiven,
    ConsentWithdrawn,
    EventData,
    NeedConfirmed,
    NeedWaiting,
    NeedWithdrawn,
    PersonCorrected,
    PersonErased,
    PersonMoved,
    ProfileRecorded,
    ReferralAccepted,
    ReferralCancelled,
    ReferralCompleted,
    ReferralFailed,
    ReleasePublished,
    source_of,
)
from schemas.topics import UnknownService, UnknownSubscription, parse, readers_of, subscriptions, topic_of, topics

SERVICES = ("intake", "profiling", "referral", "reporting")
THIRTY_DAYS_MS = 30 * 24 * 60 * 60 * 1000
THE_BROKER_LOOKS_EVERY_MS = 5 * 60 * 1000
"""Kafka's default (`log.retention.check.interval.ms`)."""


def events_of(source: str) -> frozenset[type[EventData]]:
    return frozenset(event for event in CATALOGUE.values() if source_of(event) == source)


def test_each_service_owns_one_topic_and_each_event_type_has_an_owner() -> None:
    assert {topic.owner for topic in topics().values()} == set(SERVICES)
    assert len(topics()) == len(SERVICES)
    assert {source_of(event) for event in CATALOGUE.values()} == set(SERVICES)


def test_topics_have_4_partitions_by_subject_and_no_copy_of_an_event_lies_there_for_more_than_30_days() -> None:
    for topic in topics().values():
        assert topic.partitions == 4
        assert topic.retention_ms + topic.segment_ms + THE_BROKER_LOOKS_EVERY_MS < THIRTY_DAYS_MS
        assert topic.key == "subject"
        assert (topic.replication.embedded, topic.replication.production) == (1, 3)


def test_only_services_read_and_never_what_they_wrote_themselves() -> None:
    for topic in topics().values():
        assert topic.readers.keys() <= set(SERVICES) - {topic.owner}


@pytest.mark.parametrize("service", SERVICES)
def test_every_subscribed_type_exists_and_lies_in_the_topic_of_its_owner(service: str) -> None:
    for name, events in subscriptions(service).items():
        assert events
        assert events <= events_of(topics()[name].owner)
        for event in events:
            assert topic_of(source_of(event)).name == name
            assert service in readers_of(event.TYPE)


def test_intake_follows_the_read_grants() -> None:
    assert subscriptions("intake") == {
        "referral.events.v1": {ReferralAccepted, ReferralCancelled, ReferralCompleted, ReferralFailed}
    }


def test_profiling_follows_the_person_and_the_steps_of_the_plan() -> None:
    read = subscriptions("profiling")
    assert read["intake.events.v1"] == events_of("intake") - {ArrivalCounted}
    assert read["referral.events.v1"] == {
        event for event in events_of("referral") if event.__name__.startswith("Referral")
    } | {NeedWaiting}


def test_referral_reads_no_appointments_but_persons_consents_and_needs() -> None:
    read = subscriptions("referral")
    assert read["intake.events.v1"] == {
        ArrivalRegistered,
        PersonCorrected,
        PersonMoved,
        ConsentGiven,
        ConsentWithdrawn,
        PersonErased,
    }
    assert not read["intake.events.v1"] & {AppointmentBooked, AppointmentReleased, ArrivalCounted}
    assert read["profiling.events.v1"] == {ProfileRecorded, AccessNeedsTold, NeedConfirmed, NeedWithdrawn}


def test_reporting_reads_everything_of_the_other_three_but_what_says_something_of_somebodys_health() -> None:
    read = {topic_of(source).name: events_of(source) for source in ("intake", "profiling", "referral")}
    read["profiling.events.v1"] -= {AccessNeedsTold}
    assert subscriptions("reporting") == read
    assert readers_of(AccessNeedsTold.TYPE) == ("referral",)


def test_everybody_who_keeps_something_about_a_person_hears_of_the_erasure() -> None:
    assert readers_of(PersonErased.TYPE) == ("profiling", "referral", "reporting")
    assert readers_of(ReleasePublished.TYPE) == ()


def test_a_service_that_does_not_exist_has_no_subscription() -> None:
    with pytest.raises(UnknownService, match="'matching' is not a service"):
        subscriptions("matching")


def test_a_reader_of_a_type_that_does_not_exist_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = parse("""
intake.events.v1:
  owner: intake
  key: subject
  partitions: 4
  retention_ms: 1
  segment_ms: 1
  replication: {embedded: 1, production: 3}
  readers: {intake: [arrival-registerd.v1]}
""")
    monkeypatch.setattr("schemas.topics.topics", lambda: wrong)
    with pytest.raises(UnknownSubscription, match=r"arrival-registerd\.v1"):
        subscriptions("intake")


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("partitions", "partitions: 0"),
        ("key", "key: case"),
        ("replication", "replication: {embedded: 1}"),
        ("colour", "colour: red"),
    ],
)
def test_a_topic_that_is_described_wrongly_is_refused(field: str, line: str) -> None:
    right = {
        "owner": "owner: intake",
        "key": "key: subject",
        "partitions": "partitions: 4",
        "retention_ms": "retention_ms: 1",
        "segment_ms": "segment_ms: 1",
        "replication": "replication: {embedded: 1, production: 3}",
        "readers": "readers: {}",
    }
    assert parse("a.v1: {" + ", ".join(right.values()) + "}")
    wrong = right | {field: line}
    with pytest.raises(ValidationError):
        parse("a.v1: {" + ", ".join(wrong.values()) + "}")
