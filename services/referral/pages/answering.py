"""The page behind a link in an e-mail: one referral, to be answered once, without an account.

Opening it changes nothing, since mail scanners open links too. What the link is good for is looked up anew each time; after the answer, the
deadline or any other end it shows a friendly page that says nothing of the person. The answer is a partner's command like any other.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from schemas.codes import Role
from services.referral.locations import Locations
from services.referral.notices import keeping
from services.referral.notices.links import SHAPE, digest_of
from services.referral.pages.possible import command, fields_of, missing, steps_at
from services.referral.pages.reading import Reading, Shown
from services.referral.transitions import StepKind
from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.pages import PREFIX, Pages, Visitor, page_for_anybody
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.tokens import Actor

Anybody = Annotated[Visitor, Depends(page_for_anybody())]
County = Annotated[str, Path(pattern=r"^[0-9]{5}$")]

_ADDRESS: Final = f"{PREFIX}/answer/{{county}}/{{token}}"


class Answering:
    """Opens links."""

    def __init__(self, running: Running, reading: Reading) -> None:
        self._running = running
        self._reading = reading

    async def opened(self, county: str, token: str) -> tuple[Actor, Shown] | None:
        """On whose behalf, and the referral; None for a link that opens nothing (any more, or ever)."""
        if county not in self._running.settings.counties or SHAPE.fullmatch(token) is None:
            return None
        digest = digest_of(token)
        link = await keeping.link(self._running.store(county), digest)
        if link is None or not await keeping.is_there(self._running.store(county), link.channel):
            return None
        actor = Actor(f"link-{digest[:16]}", Role.PARTNER, county, organisation=link.partner)
        try:
            return actor, await self._reading.one(actor, link.referral)
        except Problem:
            return None

    def waits(self, one: Shown) -> bool:
        """Whether an answer still counts."""
        by = one.line.answer_by
        return one.is_live and by is not None and self._running.clock.now() < by


def add_answering(router: APIRouter, running: Running, pages: Pages, reading: Reading, locations: Locations) -> None:
    answering = Answering(running, reading)

    def over(visitor: Visitor, one: Shown | None) -> Response:
        state = one.line.state if one is not None else None
        return pages.show(visitor, "answered.html", status=200 if one is not None else 404, state=state)

    def shown(visitor: Visitor, one: Shown, *, status: int = 200, **more: object) -> Response:
        steps = [(step, fields_of(step, one.line.kind)) for step in steps_at(one.line.state)]
        values: dict[str, object] = {"one": one, "steps": steps, "typed": {}, "wrong": {}, "tried": "", "refused": None}
        values["base"] = visitor.request.url.path.removesuffix(f"/{more.get('tried', '')}")
        return pages.show(visitor, "answer.html", status=status, **{**values, **more})

    @router.get(_ADDRESS)
    async def look(visitor: Anybody, county: County, token: str) -> Response:
        found = await answering.opened(county, token)
        if found is None or not answering.waits(found[1]):
            return over(visitor, found[1] if found is not None else None)
        return shown(visitor, found[1])

    @router.post(_ADDRESS + "/{step}")
    async def answer(visitor: Anybody, county: County, token: str, step: StepKind) -> Response:
        form = await visitor.form()
        found = await answering.opened(county, token)
        if found is None:
            return over(visitor, None)
        actor, one = found
        asked = fields_of(step, one.line.kind)
        typed = {field.name: form.one(field.name) for field in asked}
        if not answering.waits(one):
            return over(visitor, one)
        if step not in steps_at(one.line.state):
            raise Refused("step-not-yours", 403)
        if lacking := missing(asked, typed):
            wrong = {name: pages.catalogue.text(visitor.language, key) for name, key in lacking.items()}
            return shown(visitor, one, status=422, typed=typed, wrong=wrong, tried=step)
        try:
            located = (await locations.find(running.store(county), [one.line.referral])).get(one.line.referral)
            data = command(actor, one.line.referral, step, asked, typed, located)
            await running.desk.send(Command(county, form.key, data, actor.subject))
        except Refused as refused:
            return shown(visitor, one, status=refused.status, refused=pages.said(refused, visitor.language), tried=step)
        path = f"{PREFIX}/answer/{county}/{token}"
        return pages.go(visitor, path, visitor.session.saying(f"partner.done-link.{step}"))
