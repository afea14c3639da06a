"""Where a partner says how it wants to be told, and reads what it was told: e-mail address, webhooks, and the latest notices.

A webhook's secret is shown once, on the page that answers the registration, and stored sealed.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from services.referral.api_offers import partner_of
from services.referral.notices import keeping
from services.referral.notices.channels import Channels
from services.referral.notices.keeping import Channel, Notice
from services.referral.notices.letters import Letters, path_of
from services.referral.notices.sending import opened
from services.runtime.pages import PREFIX, Pages, Visitor, page_for
from services.runtime.problems import Problem
from services.runtime.running import Running

Partner = Annotated[Visitor, Depends(page_for(Role.PARTNER))]
Reader = Annotated[Visitor, Depends(page_for(Role.PARTNER, Role.OPERATOR))]

PAGE: Final = f"{PREFIX}/partner/notices"
MOST_NOTICES: Final = 50


class Noticing:
    """Channels and notices of the signed-in partner."""

    def __init__(self, running: Running, pages: Pages) -> None:
        self.running = running
        self.pages = pages
        self._links = pages.seals.of("links")
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


def add_noticing(router: APIRouter, noticing: Noticing) -> None:
    pages = noticing.pages
    channels = Channels(noticing.running, pages.seals.of("webhooks"))

    @router.get(PAGE)
    async def notices(visitor: Reader) -> Response:
        return await noticing.show(visitor)

    @router.post(PAGE + "/channels")
    async def register(visitor: Partner) -> Response:
        form = await visitor.form()
        kind, target = ("webhook" if form.one("kind") == "webhook" else "mail"), form.one("target")
        try:
            done = await channels.register(visitor.signed_in, kind, target, visitor.language)
        except Problem as problem:
            if not problem.fields:
                raise
            said = pages.catalogue.text(visitor.language, f"field.{problem.fields[0].code}", {})
            return await noticing.show(visitor, status=422, typed={kind: target}, wrong={kind: said})
        if done.secret:
            return await noticing.show(visitor, secret_once=done.secret)
        if not done.is_new:
            return pages.go(visitor, PAGE, visitor.session.saying("notices.known", "info"))
        return pages.go(visitor, PAGE, visitor.session.saying("notices.registered"))

    @router.post(PAGE + "/channels/{id}/removal")
    async def remove(visitor: Partner, id: str) -> Response:
        await visitor.form()
        await channels.remove(visitor.signed_in, id)
        return pages.go(visitor, PAGE, visitor.session.saying("notices.removed"))

    @router.post(PAGE + "/channels/{id}/activation")
    async def activate(visitor: Partner, id: str) -> Response:
        await visitor.form()
        await channels.activate(visitor.signed_in, id)
        return pages.go(visitor, PAGE, visitor.session.saying("notices.activated"))

    @router.post(PAGE + "/channels/{id}/ping")
    async def ping(visitor: Partner, id: str) -> Response:
        await visitor.form()
        await channels.ping(visitor.signed_in, id)
        return pages.go(visitor, PAGE, visitor.session.saying("notices.pinged"))

    @router.post(PAGE + "/again")
    async def again(visitor: Partner) -> Response:
        """Send a notice once more, under its id."""
        form = await visitor.form()
        await channels.again(visitor.signed_in, form.one("notice"))
        return pages.go(visitor, PAGE, visitor.session.saying("notices.sent-again"))
