"""Where a partner says how it wants to be told, and reads what it was told: e-mail address, webhooks, and the latest notices.

A webhook's secret is shown once, on the page that answers the registration, and stored sealed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from services.referral.api_offers import partner_of
from services.referral.notices import keeping
from services.referral.notices.addresses import AddressForbidden, checked_url, place_of
from services.referral.notices.keeping import Channel, Notice
from services.referral.notices.letters import Letters, path_of
from services.referral.notices.sending import opened
from services.referral.notices.signing import new_secret
from services.runtime.ids import child
from services.runtime.pages import PREFIX, Pages, Visitor, page_for
from services.runtime.problems import Problem
from services.runtime.running import Running

Partner = Annotated[Visitor, Depends(page_for(Role.PARTNER))]
Reader = Annotated[Visitor, Depends(page_for(Role.PARTNER, Role.OPERATOR))]

PAGE: Final = f"{PREFIX}/partner/notices"
MOST_CHANNELS: Final = 10
MOST_NOTICES: Final = 50

_MAIL: Final = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class Noticing:
    """Channels and notices of the signed-in partner."""

    def __init__(self, running: Running, pages: Pages) -> None:
        self.running = running
        self.pages = pages
        self._links = pages.seals.of("links")
        self._secrets = pages.seals.of("webhooks")
        self._letters = Letters(running)

    async def show(self, visitor: Visitor, *, status: int = 200, **more: object) -> Response:
        actor = visitor.signed_in
        store = self.running.store(actor.county)
        partner = partner_of(actor)
        channels = await keeping.channels(store, partner)
        listed = await keeping.notices(store, partner, MOST_NOTICES)
        # Whoever holds a link can answer: it is for the partner, and for whoever tries this out on one machine.
        shows_links = partner is not None or self.running.settings.profile != "production"
        values: dict[str, object] = {
            "channels": channels,
            "by_id": {one.id: one for one in channels},
            "notices": [(one, self._letter(actor.county, one, channels, shows_links=shows_links)) for one in listed],
            "may_change": partner is not None,
            "secret_once": "",
            "typed": {},
            "wrong": {},
        }
        return self.pages.show(visitor, "notices.html", status=status, **{**values, **more})

    def _letter(
        self, county: str, notice: Notice, channels: list[Channel], *, shows_links: bool
    ) -> tuple[str, str, str, str] | None:
        """Subject, text, link and language of a mail that could not be sent, because there is no mail server."""
        channel = next((one for one in channels if one.id == notice.channel), None)
        if notice.state != "kept" or channel is None or not shows_links:
            return None
        token = opened(self._links, notice)
        return (
            *self._letters.of(county, channel, notice, token),
            path_of(county, token) if token else "",
            channel.language,
        )

    async def register(self, visitor: Visitor, channel: Channel) -> str:
        """Store a new channel; for a webhook, its secret, which is not told again."""
        secret = ""
        if channel.kind == "webhook":
            secret = new_secret()
            channel = replace(channel, secret=self._secrets.close(secret.encode(), channel.id))
        county = visitor.signed_in.county
        await keeping.write(self.running.store(county), keeping.put_channel(county, channel))
        return secret

    async def mine(self, visitor: Visitor, id: str) -> Channel:
        """One of the partner's own. Raises `Problem` 404."""
        actor = visitor.signed_in
        found = await keeping.channels(self.running.store(actor.county), partner_of(actor) or "")
        channel = next((one for one in found if one.id == id), None)
        if channel is None:
            raise Problem("not-found", 404)
        return channel


def add_noticing(router: APIRouter, noticing: Noticing) -> None:
    running, pages = noticing.running, noticing.pages

    @router.get(PAGE)
    async def notices(visitor: Reader) -> Response:
        return await noticing.show(visitor)

    @router.post(PAGE + "/channels")
    async def register(visitor: Partner) -> Response:
        form = await visitor.form()
        actor = visitor.signed_in
        partner = partner_of(actor) or ""
        kind, target = ("webhook" if form.one("kind") == "webhook" else "mail"), form.one("target")
        wrong = await _wrong(running, kind, target)
        known = await keeping.channels(running.store(actor.county), partner)
        # The same target is the same channel, registered once. A webhook that is registered again gets a new secret: it is shown
        # once, and whoever sent the form twice sees the second answer only.
        id = child(_ROOT, f"{actor.county}/{partner}/{target}")
        if not wrong and len(known) >= MOST_CHANNELS and all(one.id != id for one in known):
            wrong = "too-many"
        if wrong:
            said = pages.catalogue.text(visitor.language, f"notices.wrong.{wrong}", {})
            return await noticing.show(visitor, status=422, typed={kind: target}, wrong={kind: said})
        if kind == "mail" and any(one.id == id for one in known):
            return pages.go(visitor, PAGE, visitor.session.saying("notices.known", "info"))
        secret = await noticing.register(visitor, Channel(id, partner, kind, target, visitor.language))
        if not secret:
            return pages.go(visitor, PAGE, visitor.session.saying("notices.registered"))
        return await noticing.show(visitor, secret_once=secret)

    @router.post(PAGE + "/channels/{id}/removal")
    async def remove(visitor: Partner, id: str) -> Response:
        await visitor.form()
        channel = await noticing.mine(visitor, id)
        county = visitor.signed_in.county
        store = running.store(county)
        followed = list(await keeping.followed(store, channel.id))
        left = [keeping.leave(county, channel.id, one) for one in followed]
        links = await keeping.drop_links(store, followed, channel.id)  # whoever reads that mail answers no more
        await keeping.write(store, keeping.drop_channel(county, channel.id), *left, *links)
        return pages.go(visitor, PAGE, visitor.session.saying("notices.removed"))

    @router.post(PAGE + "/channels/{id}/activation")
    async def activate(visitor: Partner, id: str) -> Response:
        await visitor.form()
        channel = await noticing.mine(visitor, id)
        county = visitor.signed_in.county
        await keeping.write(running.store(county), keeping.switch(county, channel, ""))
        return pages.go(visitor, PAGE, visitor.session.saying("notices.activated"))

    @router.post(PAGE + "/again")
    async def again(visitor: Partner) -> Response:
        """Send a notice once more, under its id."""
        form = await visitor.form()
        county = visitor.signed_in.county
        store = running.store(county)
        notice = await keeping.notice(store, form.one("notice"))
        if notice is None or notice.partner != partner_of(visitor.signed_in) or notice.kind != "webhook":
            raise Problem("not-found", 404)
        anew = replace(notice, state="waiting", due=0, attempts=0, last="")
        await keeping.write(store, keeping.put_notice(county, anew))
        return pages.go(visitor, PAGE, visitor.session.saying("notices.sent-again"))


_ROOT: Final = "0c6f3c8e-7c83-5d0e-8f0e-5a1de0a4a6b4"
"""The root of the ids of channels."""


async def _wrong(running: Running, kind: str, target: str) -> str:
    """What is wrong with a target; empty when nothing is."""
    if kind == "mail":
        return "" if len(target) <= 254 and _MAIL.fullmatch(target) else "mail"
    private = running.settings.webhook_private_addresses
    try:
        checked_url(target, private=private)
        await place_of(target, private=private)
    except AddressForbidden as forbidden:
        return forbidden.code
    except OSError:
        return "webhook-unknown-host"
    return ""
