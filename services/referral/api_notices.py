"""The doors for channels and notices: a partner registers, lists, tries, switches on again and removes its webhooks and mail addresses,
and has a notice sent again. What they do is `notices.channels`, as on the page.

They take no idempotency key: registering the same target again is the same channel (a webhook gets a new secret by it), and switching on
or removing twice leaves what doing it once leaves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.referral.api_offers import partner_of
from services.referral.notices import keeping
from services.referral.notices.channels import Channels
from services.referral.notices.keeping import Channel, ChannelKind, Notice, NoticeState
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.running import Running
from services.runtime.seals import Seals
from services.runtime.security import Actor, allow
from services.runtime.web import reply

Partner = Annotated[Actor, Depends(allow(Role.PARTNER))]


class NewChannel(BaseModel):
    """An e-mail address (`mail`), or the address of an endpoint of one's own (`webhook`). `language`: of the mails."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ChannelKind
    target: str = Field(min_length=1, max_length=2000)
    language: Literal["de", "en"] = "de"


class ChannelView(BaseModel):
    """A channel. `disabled`: why it is off (`gone`: it answered 410; `silent`: it took nothing for days), null when it is on.
    `secret`: told once, in the answer to the registration of a webhook."""

    channel: str
    kind: ChannelKind
    target: str
    language: Literal["de", "en"]
    disabled: str | None
    secret: str | None = None


class ChannelsView(BaseModel):
    """All channels of the partner, ten at most."""

    items: list[ChannelView]
    next: None = None


class NoticeView(BaseModel):
    """Something that a channel was or is told. `last`: the status of the last answer, or what went wrong."""

    notice: str
    channel: str
    kind: ChannelKind
    type: str
    referral: str | None
    state: NoticeState
    attempts: int
    last: str | None
    made_at: datetime


class Again(BaseModel):
    """Which notice is sent again."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    notice: str = Field(min_length=1, max_length=200)


def add_notices(router: APIRouter, running: Running) -> None:
    channels = Channels(running, Seals(running.settings).of("webhooks"))

    @router.get("/notices/channels", response_model=ChannelsView)
    async def listed(actor: Partner) -> Response:
        """How the partner is told."""
        return reply(ChannelsView(items=[_channel_view(one) for one in await channels.listed(actor)]))

    @router.post("/notices/channels", response_model=ChannelView, status_code=201)
    async def register(actor: Partner, body: NewChannel) -> Response:
        """Register a channel. A webhook's address has to be one of the open internet; the answer has its secret, this once."""
        done = await channels.register(actor, body.kind, body.target, body.language)
        return reply(_channel_view(done.channel, done.secret), 201)

    @router.delete("/notices/channels/{channel}", status_code=204)
    async def remove(actor: Partner, channel: Uuid) -> Response:
        """Nothing goes there any more, and links that went there open nothing."""
        await channels.remove(actor, channel)
        return Response(status_code=204)

    @router.post("/notices/channels/{channel}/activation", response_model=ChannelView)
    async def activate(actor: Partner, channel: Uuid) -> Response:
        """Switch a channel on again."""
        return reply(_channel_view(await channels.activate(actor, channel)))

    @router.post("/notices/channels/{channel}/ping", response_model=NoticeView, status_code=202)
    async def ping(actor: Partner, channel: Uuid) -> Response:
        """Have a webhook sent that says nothing (`webhook.ping`). How it went, the notices say."""
        return reply(_notice_view(await channels.ping(actor, channel)), 202)

    @router.get("/notices", response_model=Page[NoticeView])
    async def notices(actor: Partner, page: Annotated[PageRequest, paging(int, str)]) -> Response:
        """What the partner was told, the latest first."""
        after = (int(str(page.after[0])), str(page.after[1])) if page.after else None
        found = await keeping.notices(running.store(actor.county), partner_of(actor) or "", page.fetch, after)
        return reply(page.page(found, _notice_view, lambda one: (one.made, one.id)))

    @router.post("/notices/again", response_model=NoticeView, status_code=202)
    async def again(actor: Partner, body: Again) -> Response:
        """Send a webhook's notice once more, under its id."""
        return reply(_notice_view(await channels.again(actor, body.notice)), 202)


def _channel_view(one: Channel, secret: str = "") -> ChannelView:
    return ChannelView(
        channel=one.id,
        kind=one.kind,
        target=one.target,
        language=one.language,
        disabled=one.disabled or None,
        secret=secret or None,
    )


def _notice_view(one: Notice) -> NoticeView:
    return NoticeView(
        notice=one.id,
        channel=one.channel,
        kind=one.kind,
        type=one.type,
        referral=one.referral or None,
        state=one.state,
        attempts=one.attempts,
        last=one.last or None,
        made_at=datetime.fromtimestamp(one.made / 1000, UTC),
    )
