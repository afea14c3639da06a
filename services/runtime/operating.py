"""What operators and other services may ask of a running service: its state, its dead letters, its history, its virtual clock.

No answer holds more than codes, numbers and bytes of events, in which there is no personal data.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from schemas.envelope import BadEnvelope, Subject
from services.runtime.clock import VirtualClock
from services.runtime.errors import Permanent
from services.runtime.gaps import History, PastEvent
from services.runtime.logs import log
from services.runtime.problems import Problem
from services.runtime.reading import Fetched, Resolution
from services.runtime.records import NOWHERE, Document, RawRecord
from services.runtime.running import Running
from services.runtime.security import allow
from services.runtime.settle import Outcome, Result
from services.runtime.tokens import Actor
from services.runtime.web import reply

OPERATOR: Final = "operator"
SERVICE: Final = "service"

Operator = Annotated[Actor, Depends(allow(OPERATOR))]
OtherService = Annotated[Actor, Depends(allow(SERVICE))]


class Rest(BaseModel):
    """Whether anything moves. Two identical answers of all services, with everything published also settled, mean rest."""

    now: datetime
    done_to: datetime | None
    unpublished: int
    unfinished_commands: int
    published: dict[str, dict[int, int]]
    settled: dict[str, dict[int, int]]


class Status(BaseModel):
    """How the service stands."""

    service: str
    instance: str
    now: datetime
    lag: dict[str, dict[int, int]]
    assigned_partitions: int
    outbox_documents: int
    outbox_oldest_seconds: float
    parked: int
    dead_letters: int


class DeadLetterView(BaseModel):
    """A dead letter. `value` and header values are base64, since they may be anything."""

    id: str
    county: str
    state: str
    reason: str
    detail: str
    at: datetime
    subject: str | None
    source: str | None
    sequence: int | None
    type: str | None
    topic: str
    partition: int
    offset: int
    headers: list[tuple[str, str | None]] = []
    value: str | None = None


class DeadLetters(BaseModel):
    items: list[DeadLetterView]
    next: str | None


class Replay(BaseModel):
    """What to send instead; null keeps the original. `value` is text, `headers` replace those of the same name."""

    value: str | None = None
    headers: dict[str, str] = {}


class Discard(BaseModel):
    reason: str = Field(min_length=3, max_length=500)


class Resolved(BaseModel):
    id: str
    result: str


class ClockMove(BaseModel):
    now: AwareDatetime


def operator_routes(running: Running) -> APIRouter:
    """The routes under ``/runtime``."""
    router = APIRouter(prefix="/runtime")
    _add_standing(router, running)
    _add_sending(router, running)
    _add_dead_letters(router, running)
    return router


def _add_standing(router: APIRouter, running: Running) -> None:
    @router.get("/rest")
    async def rest(actor: Operator) -> Response:  # noqa: ARG001 - the dependency guards the route
        turns, consumer, producer = running.turns, running.consumer, running.producer
        settled = await consumer.positions() if consumer else {}
        return reply(
            Rest(
                now=running.clock.now(),
                done_to=turns.done_to,
                unpublished=await running.relay.waiting(),
                unfinished_commands=running.desk.unfinished,
                published=producer.published,
                settled=settled,
            )
        )

    @router.put("/clock")
    async def move_clock(actor: Operator, move: ClockMove) -> Response:  # noqa: ARG001
        if not isinstance(running.clock, VirtualClock):
            raise Problem("clock-not-virtual", 409)
        try:
            await running.clock.move(move.now)
        except ValueError:
            raise Problem("clock-backwards", 409) from None
        running.turns.moved()
        return reply(ClockMove(now=running.clock.now()))

    @router.get("/status")
    async def status(actor: Operator) -> Response:
        store = running.store(actor.county)
        documents, age = await running.relay.depth()
        return reply(
            Status(
                service=running.settings.service,
                instance=running.settings.instance,
                now=running.clock.now(),
                lag=await running.consumer.lag() if running.consumer else {},
                assigned_partitions=running.consumer.assigned() if running.consumer else 0,
                outbox_documents=documents,
                outbox_oldest_seconds=age,
                parked=await store.count("parked", {}),
                dead_letters=await store.count("dead_letters", {"state": "open"})
                + await running.store(NOWHERE).count("dead_letters", {"state": "open"}),
            )
        )


def _add_sending(router: APIRouter, running: Running) -> None:
    @router.post("/refill")
    async def refill(actor: Operator) -> Response:  # noqa: ARG001
        await running.relay.send_again()
        return reply(b"{}", 202)

    @router.get("/history")
    async def history(actor: OtherService, subject: str, after: Annotated[int, Query(ge=0)] = 0) -> Response:
        try:
            wanted = Subject.parse(subject)
        except BadEnvelope:
            raise Problem("not-found", 404) from None
        model = running.service.logic.kinds.get(wanted.kind)
        if model is None:
            raise Problem("not-found", 404)
        events = await running.store(actor.county).history(model, wanted.id, after)
        return reply(History(events=[PastEvent.of(event) for event in events]))


def _add_dead_letters(router: APIRouter, running: Running) -> None:
    @router.get("/dead-letters")
    async def dead_letters(
        actor: Operator,
        state: str = "open",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: str | None = None,
    ) -> Response:
        found: list[Document] = []
        for county in (actor.county, NOWHERE):
            query: dict[str, Any] = {"state": state} | ({"_id": {"$gt": cursor}} if cursor else {})
            found += await running.store(county).find("dead_letters", query, sort=[("_id", 1)], limit=limit + 1)
        found.sort(key=lambda document: str(document["_id"]))
        more = len(found) > limit
        items = [_view(document, whole=False) for document in found[:limit]]
        return reply(DeadLetters(items=items, next=items[-1].id if more else None))

    @router.get("/dead-letters/{id}")
    async def dead_letter(actor: Operator, id: str) -> Response:
        return reply(_view(await _found(running, actor, id), whole=True))

    @router.post("/dead-letters/{id}/replay")
    async def replay(actor: Operator, id: str, correction: Replay) -> Response:
        document = await _found(running, actor, id, only_open=True)
        record = _corrected(RawRecord.from_document(document["record"]), correction)
        resolution = _resolution(document, "replayed", actor, "")
        fetched = running.settler.reader.read(record, resolution)
        if fetched.envelope is None or fetched.envelope.county != actor.county:
            raise Problem("still-unreadable", 422, reason=str(fetched.failure or "county"))
        (outcome,) = await running.settler.settle(running.store(actor.county), [fetched])
        if outcome.result is Result.DEAD:
            raise _not_settled(outcome)
        log.info("dead-letters.replayed", records=1)
        return reply(Resolved(id=id, result=outcome.result))

    @router.post("/dead-letters/{id}/discard")
    async def discard(actor: Operator, id: str, why: Discard) -> Response:
        document = await _found(running, actor, id, only_open=True)
        resolution = _resolution(document, "discarded", actor, why.reason)
        fetched = running.settler.reader.read(RawRecord.from_document(document["record"]), resolution)
        # Without payload and failure it is settled like an event that nobody subscribes to: its number counts, nothing else.
        envelope = fetched.envelope if document["county"] != NOWHERE else None
        given_up = Fetched(fetched.raw, envelope, resolution=resolution)
        (outcome,) = await running.settler.settle(running.store(document["county"]), [given_up])
        if outcome.result is Result.DEAD:
            raise _not_settled(outcome)
        log.info("dead-letters.discarded", records=1)
        return reply(Resolved(id=id, result=outcome.result))


def _not_settled(outcome: Outcome) -> Problem:
    if isinstance(outcome.error, Permanent) and outcome.error.reason == "dead-letter-settled":
        return Problem("dead-letter-settled", 409)
    return Problem("still-unreadable", 422, reason=str(outcome.error))


async def _found(running: Running, actor: Actor, id: str, *, only_open: bool = False) -> Document:
    for county in (actor.county, NOWHERE):
        document = await running.store(county).one("dead_letters", {"_id": id})
        if document is not None:
            if only_open and document["state"] != "open":
                raise Problem("dead-letter-settled", 409)
            return document
    raise Problem("not-found", 404)


def _corrected(raw: RawRecord, correction: Replay) -> RawRecord:
    headers = [(name, value) for name, value in raw.headers if name not in correction.headers]
    headers += [(name, value.encode()) for name, value in correction.headers.items()]
    value = correction.value.encode() if correction.value is not None else raw.value
    return RawRecord(raw.topic, raw.partition, raw.offset, raw.key, value, tuple(headers))


def _resolution(document: Document, state: str, actor: Actor, reason: str) -> Resolution:
    audit = {"state": state, "by": actor.subject, "reason": reason, "at": datetime.now(UTC).isoformat()}
    return Resolution(document["county"], document["_id"], state, audit)


def _view(document: Document, *, whole: bool) -> DeadLetterView:
    record = document["record"]
    headers: Sequence[tuple[str, bytes | None]] = record["headers"] if whole else ()
    value: bytes | None = record["value"] if whole else None
    return DeadLetterView(
        id=document["_id"],
        county=document["county"],
        state=document["state"],
        reason=document["reason"],
        detail=document["detail"],
        at=document["at"],
        subject=document.get("subject"),
        source=document.get("source"),
        sequence=document.get("sequence"),
        type=document.get("type"),
        topic=record["topic"],
        partition=record["partition"],
        offset=record["offset"],
        headers=[(name, base64.b64encode(text).decode() if text is not None else None) for name, text in headers],
        value=base64.b64encode(value).decode() if value is not None else None,
    )
