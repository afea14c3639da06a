"""The topics: who owns one, who reads what from it, and how it is kept. Read once from `schemas/topics.yaml`.

Every source has exactly one topic, which carries all its event types; whoever reads, reads from its owner. What a service
consumes is `subscriptions(service)` and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt, TypeAdapter

from schemas.events import CATALOGUE, EventData, source_of
from schemas.plain_yaml import read_yaml

_SOURCE: Final = Path(__file__).with_name("topics.yaml")


class Replication(BaseModel):
    """Copies of each partition, by profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    embedded: PositiveInt
    production: PositiveInt


class Topic(BaseModel):
    """One topic. A record lies there for at most `retention_ms` + `segment_ms`. `readers` names types as ``<name>.v<version>`` or `all`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    owner: str
    key: Literal["subject"]
    partitions: PositiveInt
    retention_ms: PositiveInt
    segment_ms: PositiveInt
    replication: Replication
    readers: Mapping[str, tuple[str, ...] | Literal["all"]]

    def is_read_by(self, service: str, event_type: str) -> bool:
        """Whether a service subscribes to a type of this topic, whether or not this version knows that type."""
        read = self.readers.get(service, ())
        return read == "all" or event_type.removeprefix(f"wegenetz.{self.owner}.") in read


class UnknownService(LookupError):
    """No topic is owned by a service of this name."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service!r} is not a service; schemas/topics.yaml names {', '.join(sorted(_by_owner()))}")


class UnknownSubscription(LookupError):
    """topics.yaml names an event type that `schemas.events` does not have."""

    def __init__(self, topic: Topic, service: str, missing: set[str]) -> None:
        super().__init__(
            f"schemas/topics.yaml lets {service} read {', '.join(sorted(missing))} from {topic.name}, "
            f"but schemas.events has no such type: correct the name, or add the class to its catalogue"
        )


@cache
def topics() -> dict[str, Topic]:
    """All topics by name."""
    return parse(_SOURCE.read_text(encoding="utf-8"))


def parse(text: str) -> dict[str, Topic]:
    """The topics that a text like `topics.yaml` describes. Raises pydantic's `ValidationError`."""
    described = TypeAdapter(dict[str, dict[str, object]]).validate_python(read_yaml(text))
    return {name: Topic.model_validate({"name": name} | fields) for name, fields in described.items()}


def topic_of(source: str) -> Topic:
    """The topic that a service owns and writes."""
    try:
        return _by_owner()[source]
    except KeyError:
        raise UnknownService(source) from None


def subscriptions(service: str) -> dict[str, frozenset[type[EventData]]]:
    """What a service consumes: the event classes by topic. A topic of which it reads nothing is not in it."""
    topic_of(service)
    return {topic.name: frozenset(_classes(topic, service)) for topic in topics().values() if service in topic.readers}


def readers_of(event_type: str) -> tuple[str, ...]:
    """The services that subscribe to a type, in alphabetical order."""
    return tuple(
        sorted(
            service
            for topic in topics().values()
            if event_type.startswith(f"wegenetz.{topic.owner}.")
            for service in topic.readers
            if topic.is_read_by(service, event_type)
        )
    )


def _by_owner() -> dict[str, Topic]:
    return {topic.owner: topic for topic in topics().values()}


def _classes(topic: Topic, service: str) -> list[type[EventData]]:
    written = [event for event in CATALOGUE.values() if source_of(event) == topic.owner]
    read = [event for event in written if topic.is_read_by(service, event.TYPE)]
    named = topic.readers[service]
    if named != "all":
        missing = set(named) - {event.TYPE.removeprefix(f"wegenetz.{topic.owner}.") for event in read}
        if missing:
            raise UnknownSubscription(topic, service, missing)
    return read
