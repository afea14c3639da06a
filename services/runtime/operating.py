"""What operators and other services may ask of a running service: its state, its dead letters, its history, its virtual clock.

No answer holds more than codes, numbers and bytes of events, in which there is no personal data.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from schemas.envelope import BadEnvelope, Envelope, Subject
from services.runtime.clock import VirtualClock
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.errors import Permanent
from services.runtime.gaps import History, PastEvent
from services.runtime.logs import log
from services.runtime.problems import Problem
from services.runtime.reading import Fetched, Resolution, owner_of
from services.runtime.records import DISCARDED, NOWHERE, OPEN, REPLAYED, Document, RawRecord
from services.runtime.running import Running
from services.runtime.security import allow
from services.runtime.service_tokens import SERVICE
from services.runtime.settle import Outcome, Result
from services.runtime.tokens import Actor
from services.runtime.web import reply

OPERATOR: Final = "operator"

_WITHOUT_CONTENT: Final = {"record.key": 0, "record.value": 0, "record.headers": 0}

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


class Numbers(BaseModel):
    """How many events were told, by kind of their subjects, and how many of each source were heard: the sums of the subjects' numbers.

    At rest, every reader that keeps a kind has heard what was told about it. One that has heard less lacks the end of some sequence, which
    shows in no gap.
    """

    told: dict[str, int]
    heard: dict[str, dict[str, int]]


class Act(BaseModel):
    """What somebody made of a dead letter: the state that it got, who it was (as their token names them), and why."""

    state: str
    by: str
    reason: str
    at: datetime


class DeadLetterView(BaseModel):
    """A dead letter. `value` and header values are base64, since they may be anything.

    Of a value too large to be kept `value` is the beginning, and `whole_length` (bytes) and `whole_sha256` say what it was.
    """

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
    whole_length: int | None = None
    whole_sha256: str | None = None
    audit: list[Act] = []


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
    @router.get("/rest", response_model=Rest)
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

    @router.put("/clock", response_model=ClockMove)
    async def move_clock(actor: Operator, move: ClockMove) -> Response:  # noqa: ARG001
        if not isinstance(running.clock, VirtualClock):
            raise Problem("clock-not-virtual", 409)
        try:
            await running.clock.move(move.now)
        except ValueError:
            raise Problem("clock-backwards", 409) from None
        running.turns.moved()
        log.debug("clock.moved")
        return reply(ClockMove(now=running.clock.now()))

    @router.get("/status", response_model=Status)
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
                dead_letters=await store.count("dead_letters", {"state": OPEN})
                + await running.store(NOWHERE).count("dead_letters", {"state": OPEN}),
            )
        )

    @router.get("/numbers", response_model=Numbers)
    async def numbers(actor: Operator) -> Response:
        """Goes through all states. Exact while nothing moves."""
        store, logic = running.store(actor.county), running.service.logic
        sources = sorted(owner_of(topic) for topic in running.service.subscriptions)
        told: dict[str, int] = {}
        heard: dict[str, dict[str, int]] = {source: {} for source in sources}
        for kind, model in logic.kinds.items():
            told[kind], applied = await store.numbers(model, sources)
            for source, number in applied.items():
                heard[source][kind] = number
        return reply(Numbers(told=told, heard=heard))


def _add_sending(router: APIRouter, running: Running) -> None:
    @router.post("/refill")
    async def refill(actor: Operator) -> Response:  # noqa: ARG001
        await running.relay.send_again()
        return reply(b"{}", 202)

    @router.get("/history", response_model=History)
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
    @router.get("/dead-letters", response_model=Page[DeadLetterView])
    async def dead_letters(actor: Operator, page: Annotated[PageRequest, paging(str)], state: str = OPEN) -> Response:
        query: Document = {"state": state} | ({"_id": {"$gt": page.after[0]}} if page.after else {})
        found: list[Document] = []
        for county in (actor.county, NOWHERE):
            found += await running.store(county).find(
                "dead_letters", query, sort=[("_id", 1)], limit=page.fetch, fields=_WITHOUT_CONTENT
            )
        found.sort(key=_id)
        return reply(page.page(found, _view, lambda document: (_id(document),)))

    @router.get("/dead-letters/{id}", response_model=DeadLetterView)
    async def dead_letter(actor: Operator, id: str) -> Response:
        return reply(_view(await _found(running, actor, id)))

    @router.post("/dead-letters/{id}/replay", response_model=Resolved)
    async def replay(actor: Operator, id: str, correction: Replay) -> Response:
        document = await _found(running, actor, id, only_open=True)
        if document["record"].get("whole") and correction.value is None:
            raise Problem("value-not-kept", 422)
        record = _corrected(RawRecord.from_document(document["record"]), correction)
        resolution = _resolution(document, REPLAYED, actor, "")
        fetched = running.settler.reader.read(record, resolution)
        if fetched.envelope is None or fetched.envelope.county != actor.county:
            raise Problem("still-unreadable", 422, reason=str(fetched.failure or "county"))
        if _place(document) not in (
            None,
            (str(fetched.envelope.subject), fetched.envelope.source, fetched.envelope.sequence),
        ):
            raise Problem("another-event", 422)
        (outcome,) = await running.settler.settle(running.store(actor.county), [fetched])
        if outcome.result is Result.DEAD:
            raise _not_settled(outcome)
        log.info("dead-letters.replayed", records=1)
        return reply(Resolved(id=id, result=outcome.result))

    @router.post("/dead-letters/{id}/discard", response_model=Resolved)
    async def discard(actor: Operator, id: str, why: Discard) -> Response:
        document = await _found(running, actor, id, only_open=True)
        resolution = _resolution(document, DISCARDED, actor, why.reason)
        # Without payload and failure it is settled like an event that nobody subscribes to: its number counts, nothing else.
        given_up = Fetched(RawRecord.from_document(document["record"]), _envelope(document), resolution=resolution)
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
            if only_open and document["state"] != OPEN:
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


def _place(document: Document) -> tuple[str, str, int] | None:
    """Which event of whose a dead letter stands for, as subject, source and number; None where nobody can say."""
    return (document["subject"], document["source"], document["sequence"]) if "subject" in document else None


def _envelope(document: Document) -> Envelope | None:
    """That place as an envelope. (The record's own headers may have been too large to be kept.)"""
    if "subject" not in document:
        return None
    return Envelope(
        id=_id(document),
        source=document["source"],
        type=document["type"],
        subject=Subject.parse(document["subject"]),
        county=document["county"],
        sequence=document["sequence"],
        time=document["at"],
    )


def _id(document: Document) -> str:
    return document["_id"]


def _view(document: Document) -> DeadLetterView:
    """With its content, if that was asked for."""
    record = document["record"]
    headers: Sequence[tuple[str, bytes | None]] = record.get("headers", ())
    value: bytes | None = record.get("value")
    whole: Document = record.get("whole") or {}
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
        whole_length=whole.get("length"),
        whole_sha256=whole.get("sha256"),
        audit=[Act.model_validate(act) for act in document.get("audit", ())],
    )
