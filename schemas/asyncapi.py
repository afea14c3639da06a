"""The AsyncAPI 3.0 description of the events: channels, messages with their headers, and who sends and receives what.

A channel is a topic, with the Kafka settings that production uses. Each service has one operation for what it sends and one
for each topic that it reads, with just the messages to which it subscribes. Payloads refer to the JSON Schemas beside the
document.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from schemas.envelope import CONTENT_TYPE, SPEC_VERSION, Envelope, Subject
from schemas.events import EventData, source_of
from schemas.topics import Topic

_BINDING: Final = "0.5.0"
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_EXAMPLE_ID: Final = "3d5c1e0a-6a53-4f0f-9d3e-0b7f6f2a9c41"
_EXAMPLE_SUBJECT: Final = "b7a0f6c2-51d4-4a4e-8a35-9c2f1e7d6b80"
_EXAMPLE_TIME: Final = datetime(2016, 3, 1, 9, 30, tzinfo=UTC)
_EXAMPLE_TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Json = dict[str, Any]


def describe(
    topics: Mapping[str, Topic], catalogue: Mapping[str, type[EventData]], examples: Mapping[str, Json]
) -> Json:
    """The document. A type without an example is described without one."""
    written = {
        topic.name: [event for event in catalogue.values() if source_of(event) == topic.owner]
        for topic in topics.values()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Wegenetz events",
            "version": "0.1.0",
            "description": (
                "What the services of Wegenetz tell each other: CloudEvents 1.0 over Kafka, binary mode. Events carry codes and "
                "random ids, never names or contact data. `ce_sequence` counts up per subject and source without gaps; "
                "order between topics is never given. Readers ignore fields that they do not know."
            ),
            "license": {"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en/"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.owner: _channel(topic, written[topic.name]) for topic in topics.values()},
        "operations": {
            name: operation
            for topic in topics.values()
            for name, operation in _operations(topic, written[topic.name]).items()
        },
        "components": {
            "schemas": {"EventHeaders": _headers()},
            "messages": {name: _message(event, examples.get(name)) for name, event in catalogue.items()},
        },
    }


def _channel(topic: Topic, events: list[type[EventData]]) -> Json:
    return {
        "address": topic.name,
        "title": f"Events of {topic.owner}",
        "messages": {event.TYPE: {"$ref": f"#/components/messages/{event.TYPE}"} for event in events},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "replicas": topic.replication.production,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": topic.retention_ms},
                "bindingVersion": _BINDING,
            }
        },
    }


def _operations(topic: Topic, events: list[type[EventData]]) -> dict[str, Json]:
    operations = {
        f"{topic.owner}.sends": _operation("send", f"{topic.owner} tells what happened", topic, events),
    }
    for service in sorted(topic.readers):
        read = [event for event in events if topic.is_read_by(service, event.TYPE)]
        title = f"{service} reads from {topic.owner}"
        operations[f"{service}.reads.{topic.owner}"] = _operation("receive", title, topic, read)
    return operations


def _operation(action: str, title: str, topic: Topic, events: list[type[EventData]]) -> Json:
    channel = f"#/channels/{topic.owner}"
    return {
        "action": action,
        "title": title,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.TYPE}"} for event in events],
    }


def _message(event: type[EventData], example: Json | None) -> Json:
    subject = f"^{event.SUBJECT}/{_UUID}$"
    message: Json = {
        "name": event.TYPE,
        "title": event.__name__,
        "summary": " ".join((event.__doc__ or "").split()),
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "allOf": [{"$ref": "#/components/schemas/EventHeaders"}],
            "properties": {
                "ce_type": {"const": event.TYPE},
                "ce_source": {"const": source_of(event)},
                "ce_subject": {"type": "string", "pattern": subject},
            },
        },
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./json/{event.TYPE}.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "pattern": subject}, "bindingVersion": _BINDING}},
    }
    if example is not None:
        message["examples"] = [{"headers": _example_headers(event), "payload": example}]
    return message


def _headers() -> Json:
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "description": "CloudEvents attributes as Kafka headers, in UTF-8.",
        "properties": {
            "ce_specversion": {"const": SPEC_VERSION},
            "ce_id": text
            | {"description": "Follows from source, subject and sequence: a repeated event has the same id."},
            "ce_source": text | {"description": "The service that owns the type."},
            "ce_type": text | {"pattern": r"^wegenetz\.[a-z]+\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]{0,3}$"},
            "ce_subject": text | {"pattern": f"^[a-z]{{1,20}}/{_UUID}$", "description": "Also the Kafka key."},
            "ce_time": text | {"format": "date-time", "description": "Business time, in UTC with milliseconds."},
            "ce_county": text | {"pattern": "^[0-9]{5}$", "description": "The tenant: the county's key."},
            "ce_sequence": text | {"pattern": "^[0-9]{1,16}$", "description": "From 1, per subject and source."},
            "content-type": {"const": CONTENT_TYPE},
            "traceparent": text | {"description": "W3C Trace Context; ignored where malformed."},
        },
        "required": [
            "ce_specversion",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_subject",
            "ce_time",
            "ce_county",
            "ce_sequence",
        ],
    }


def _example_headers(event: type[EventData]) -> dict[str, str]:
    envelope = Envelope(
        id=_EXAMPLE_ID,
        source=source_of(event),
        type=event.TYPE,
        subject=Subject(event.SUBJECT, _EXAMPLE_SUBJECT),
        county="03459",
        sequence=1,
        time=_EXAMPLE_TIME,
        traceparent=_EXAMPLE_TRACE,
    )
    return {name: value.decode() for name, value in envelope.to_headers()}
