"""What a partner does with its channels: one implementation under the page and the API.

A channel is known by its target: the same target is the same channel. What was registered is never shown to another partner. A webhook's
secret is told once, to whoever registers it, and stored sealed; registering it again gives it a new one.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from schemas.envelope import format_instant
from services.referral.api_offers import partner_of
from services.referral.notices import keeping
from services.referral.notices.addresses import AddressForbidden, Resolve, checked_url, place_of, resolved
from services.referral.notices.keeping import Channel, ChannelKind, Notice
from services.referral.notices.signing import new_secret
from services.runtime.catalogue import Language
from services.runtime.clock import machine_ms
from services.runtime.ids import child
from services.runtime.problems import FieldProblem, Problem
from services.runtime.running import Running
from services.runtime.seals import Seal
from services.runtime.tokens import Actor

MOST_CHANNELS: Final = 10
PING: Final = "webhook.ping"
"""The type of a webhook that only says that it arrives."""

_MAIL: Final = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_ROOT: Final = "0c6f3c8e-7c83-5d0e-8f0e-5a1de0a4a6b4"
"""The root of the ids of channels."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A channel as it stands now. `secret` is told this once; empty for a mail address. `is_new`: it was not there before."""

    channel: Channel
    is_new: bool
    secret: str = field(default="", repr=False)


class Channels:
    """Those of the partner that asks. Raises `Problem`: 403 for a sign-in without organisation, 404 for what is not the partner's."""

    def __init__(self, running: Running, secrets: Seal, *, resolve: Resolve = resolved) -> None:
        self._running = running
        self._secrets = secrets
        self._resolve = resolve

    async def listed(self, actor: Actor) -> list[Channel]:
        return await keeping.channels(self._running.store(actor.county), _partner(actor))

    async def register(self, actor: Actor, kind: ChannelKind, target: str, language: Language) -> Registered:
        """Raises `Problem` 422 with what is wrong with the target."""
        partner = _partner(actor)
        wrong = await self._wrong(kind, target)
        known = {one.id: one for one in await self.listed(actor)}
        id = child(_ROOT, f"{actor.county}/{partner}/{target}")
        if not wrong and len(known) >= MOST_CHANNELS and id not in known:
            wrong = "too-many-channels"
        if wrong:
            raise Problem("invalid-fields", 422, fields=[FieldProblem("target", wrong)])
        if kind == "mail" and id in known:
            return Registered(known[id], is_new=False)
        secret = new_secret() if kind == "webhook" else ""
        sealed = self._secrets.close(secret.encode(), id) if secret else b""
        channel = Channel(id, partner, kind, target, language, sealed)
        await keeping.write(self._running.store(actor.county), keeping.put_channel(actor.county, channel))
        return Registered(channel, is_new=id not in known, secret=secret)

    async def remove(self, actor: Actor, id: str) -> None:
        """Nothing goes there any more, and whoever reads a mail that went there answers no more."""
        channel = await self._mine(actor, id)
        store = self._running.store(actor.county)
        # The channel first: a look that goes on meanwhile finds it gone and takes back what it wrote (`watching`).
        await keeping.write(store, keeping.drop_channel(actor.county, channel.id))
        await keeping.forget(store, channel.id)

    async def activate(self, actor: Actor, id: str) -> Channel:
        """On again, if it was switched off."""
        channel = await self._mine(actor, id)
        await keeping.write(self._running.store(actor.county), keeping.switch(actor.county, channel, ""))
        return replace(channel, disabled="")

    async def ping(self, actor: Actor, id: str) -> Notice:
        """A webhook that says nothing, to see that it arrives. It is sent once, and switches nothing off."""
        channel = await self._mine(actor, id)
        if channel.kind != "webhook":
            raise Problem("channel-not-webhook", 409)
        if channel.disabled:
            raise Problem("channel-off", 409)
        told = {"type": PING, "timestamp": format_instant(datetime.now(UTC)), "data": {"county": actor.county}}
        notice = Notice(
            id=f"{channel.id}/ping/{uuid.uuid4()}",
            channel=channel.id,
            partner=channel.partner,
            kind="webhook",
            type=PING,
            referral="",
            body=json.dumps(told, separators=(",", ":")),
            made=machine_ms(),
        )
        await keeping.write(self._running.store(actor.county), keeping.put_notice(actor.county, notice))
        return notice

    async def again(self, actor: Actor, id: str) -> Notice:
        """Send a notice once more, under its id."""
        store = self._running.store(actor.county)
        notice = await keeping.notice(store, id)
        if notice is None or notice.partner != _partner(actor) or notice.kind != "webhook":
            raise Problem("not-found", 404)
        anew = replace(notice, state="waiting", due=0, attempts=0, last="")
        await keeping.write(store, keeping.put_notice(actor.county, anew))
        return anew

    async def _mine(self, actor: Actor, id: str) -> Channel:
        channel = next((one for one in await self.listed(actor) if one.id == id), None)
        if channel is None:
            raise Problem("not-found", 404)
        return channel

    async def _wrong(self, kind: ChannelKind, target: str) -> str:
        """What is wrong with a target, as a code of the catalogue's ``field`` part; empty when nothing is."""
        if kind == "mail":
            return "" if len(target) <= 254 and _MAIL.fullmatch(target) else "mail"
        private = self._running.settings.webhook_private_addresses
        try:
            checked_url(target, private=private)
            await place_of(target, private=private, resolve=self._resolve)
        except AddressForbidden as forbidden:
            return forbidden.code
        except OSError:
            return "webhook-unknown-host"
        return ""


def _partner(actor: Actor) -> str:
    partner = partner_of(actor)
    if partner is None:
        raise Problem("organisation-missing", 403)
    return partner
