"""From raw record to message: each record is read by itself, and whatever cannot be read says why.

The four results of `Reader.read`:

- an event of a subscribed type, with its payload;
- an event of a type that this service does not subscribe to (`data` and `failure` are None): its number counts, nothing else does;
- a failure with an envelope: it blocks its subject until it is replayed or discarded;
- a failure without an envelope: nobody can say whose it is, or it lies in a topic that is not its source's; the gap in its subject's
  sequence will show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ValidationError

from schemas.envelope import BadEnvelope, Envelope, TypeName
from services.runtime.errors import Permanent
from services.runtime.records import NOWHERE, RawRecord

VALUE_LIMIT: Final = 1024 * 1024
"""Bytes. No event of ours comes near; Kafka's own default refuses more."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A dead letter that is settled together with this record, and the audit entry of who did it.

    Only one that is still open can be, so that of two operators one comes too late.
    """

    county: str
    dead_letter: str
    state: str
    audit: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A record, and what could be read of it. `resolution` is set when an operator sends or discards it."""

    raw: RawRecord
    envelope: Envelope | None
    data: BaseModel | None = None
    failure: Permanent | None = None
    resolution: Resolution | None = None


class Reader:
    """Reads records for one service.

    `subscriptions` are the event classes that the service takes, for all topics together. An event's source must be the topic's
    owner, which is the first word of the topic's name.
    """

    def __init__(self, subscriptions: Iterable[type[BaseModel]]) -> None:
        self._models: dict[str, type[BaseModel]] = {}
        self._names: set[tuple[str, str]] = set()
        for model in subscriptions:
            name: str = getattr(model, "TYPE")  # noqa: B009 - event classes declare it, BaseModel does not know it
            self._models[name] = model
            parsed = TypeName.parse(name)
            self._names.add((parsed.source, parsed.name))

    def read(self, raw: RawRecord, resolution: Resolution | None = None) -> Fetched:
        try:
            envelope = Envelope.from_headers(raw.headers)
        except BadEnvelope as error:
            return Fetched(raw, None, failure=Permanent(error.reason, error.header), resolution=resolution)
        if envelope.source != owner_of(raw.topic):
            # It must not stand in the way of the record that really has this number.
            return Fetched(raw, None, failure=Permanent("foreign-source", "ce_source"), resolution=resolution)
        try:
            return Fetched(raw, envelope, data=self._payload(raw, envelope), resolution=resolution)
        except Permanent as failure:
            return Fetched(raw, envelope, failure=failure, resolution=resolution)

    def by_county(self, records: Iterable[RawRecord], counties: Collection[str]) -> dict[str, list[Fetched]]:
        """A batch holds events of all counties, and each county's are settled apart; their order stays. What is of none lies nowhere."""
        groups: dict[str, list[Fetched]] = {}
        for record in records:
            fetched = self.read(record)
            county = fetched.envelope.county if fetched.envelope else NOWHERE
            if county not in counties:
                fetched, county = self.of_no_county(fetched), NOWHERE
            groups.setdefault(county, []).append(fetched)
        return groups

    @staticmethod
    def of_no_county(fetched: Fetched) -> Fetched:
        """The same record as a failure: its county cannot be read, or is not served here. Its envelope is not to be trusted."""
        failure = fetched.failure if fetched.envelope is None else Permanent("county-not-served", "ce_county")
        return Fetched(fetched.raw, None, failure=failure, resolution=fetched.resolution)

    def _payload(self, raw: RawRecord, envelope: Envelope) -> BaseModel | None:
        model = self._models.get(envelope.type)
        if model is None:
            name = TypeName.parse(envelope.type)
            if (name.source, name.name) in self._names:
                raise Permanent("unsupported-version", f"v{name.version}")
            return None
        if not raw.value:
            raise Permanent("empty-value")
        if len(raw.value) > VALUE_LIMIT:
            raise Permanent("value-too-large", f"{len(raw.value)} bytes, at most {VALUE_LIMIT}")
        try:
            return model.model_validate_json(raw.value)
        except ValidationError as error:
            raise Permanent("invalid-payload", _where(error)) from None


def owner_of(topic: str) -> str:
    """The service whose topic this is."""
    return topic.split(".", 1)[0].rsplit("-", 1)[-1]


def _where(error: ValidationError) -> str:
    """The places and kinds of what is wrong; never the values, which may belong to a person."""
    return "; ".join(
        f"{'.'.join(str(part) for part in entry['loc']) or 'document'}: {entry['type']}"
        for entry in error.errors(include_url=False, include_context=False, include_input=False)[:5]
    )
