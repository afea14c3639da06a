"""The pages of dead letters: all of them by reason, one with its bytes, and what an operator does with it."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from services.operations.console import Console
from services.operations.letters import NoAnswer, Opened, Refusal
from services.runtime.pages import PREFIX, Pages, Visitor, page_for
from services.runtime.problems import Problem
from services.runtime.records import DISCARDED, OPEN, REPLAYED

LETTERS: Final = f"{PREFIX}/letters"
STATES: Final = (OPEN, REPLAYED, DISCARDED)
SHORTEST_REASON: Final = 3

_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,200}").fullmatch

Operator = Annotated[Visitor, Depends(page_for(Role.OPERATOR))]


def add_letters(router: APIRouter, console: Console, pages: Pages) -> None:
    async def opened(visitor: Visitor, service: str, id: str) -> Opened:
        if not _ID(id):
            raise Problem("not-found", 404)
        try:
            return await console.letters.one(service, id, visitor.session.token)
        except NoAnswer:
            raise Problem("unavailable", 503) from None

    def shown(
        visitor: Visitor, one: Opened, *, status: int = 200, wrong: Refusal | None = None, **typed: str
    ) -> Response:
        was = one.value.whole if one.value is not None else None
        given = {"value": was or "", "headers": one.text_headers, "reason": ""} | typed
        return pages.show(visitor, "letter.html", status=status, one=one, wrong=wrong, typed=given)

    @router.get(LETTERS)
    async def letters(visitor: Operator, state: str = OPEN) -> Response:
        chosen = state if state in STATES else OPEN
        found = await console.letters.all(visitor.session.token, chosen)
        return pages.show(visitor, "letters.html", found=found, state=chosen, states=STATES)

    @router.get(LETTERS + "/{service}/{id}")
    async def letter(visitor: Operator, service: str, id: str) -> Response:
        return shown(visitor, await opened(visitor, service, id))

    @router.post(LETTERS + "/{service}/{id}/replay")
    async def replay(visitor: Operator, service: str, id: str) -> Response:
        form = await visitor.form()
        one = await opened(visitor, service, id)
        value, headers = form.one("value").replace("\r\n", "\n"), form.one("headers").replace("\r\n", "\n")
        done = await _answered(
            console.letters.replay(one, visitor.session.token, visitor.language, value=value, headers=headers)
        )
        if isinstance(done, Refusal):
            return shown(visitor, one, status=done.status, wrong=done, value=value, headers=headers)
        return pages.go(visitor, LETTERS, visitor.session.saying("operations.letter.replayed"))

    @router.post(LETTERS + "/{service}/{id}/discard")
    async def discard(visitor: Operator, service: str, id: str) -> Response:
        form = await visitor.form()
        one = await opened(visitor, service, id)
        reason = form.one("reason")
        if len(reason) < SHORTEST_REASON:
            wrong = Refusal(pages.catalogue.text(visitor.language, "operations.letter.reason-missing", {}), "", 422)
            return shown(visitor, one, status=422, wrong=wrong, reason=reason)
        done = await _answered(console.letters.discard(one.letter, visitor.session.token, visitor.language, reason))
        if isinstance(done, Refusal):
            return shown(visitor, one, status=done.status, wrong=done, reason=reason)
        return pages.go(visitor, LETTERS, visitor.session.saying("operations.letter.discarded"))


async def _answered(asked: Awaitable[str | Refusal]) -> str | Refusal:
    try:
        return await asked
    except NoAnswer:
        raise Problem("unavailable", 503) from None
