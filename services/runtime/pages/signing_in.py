"""Signing in and out, the language, and the assets: the same for the pages of every service.

A sign-in leads to the county's sign-in service and back (`openid.py`); on one machine to the local one (`local_sign_in.py`), in the same
way. The page that was asked for is come back to. What goes wrong is told on a page, from which one can begin anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from services.runtime.catalogue import Language
from services.runtime.pages import assets
from services.runtime.pages.addresses import PREFIX, RETURN, SIGN_IN, SIGNED_OUT, after_sign_in, ours
from services.runtime.pages.attempts import of_state
from services.runtime.pages.local_sign_in import SampleUser, local_sign_in_routes
from services.runtime.pages.openid import failed
from services.runtime.pages.pages import Pages, Visitor, page_for_all_alike, page_for_anybody
from services.runtime.problems import Problem

Anybody = Annotated[Visitor, Depends(page_for_anybody())]

_FOR_GOOD: Final = {"cache-control": "public, max-age=31536000, immutable"}

_ANOTHER_SIGN_IN: Final = frozenset({"sign-in-no-role", "county-not-served"})
"""Where the same person would only fail again: they are offered to sign out."""


def common_routes(pages: Pages, home: str, people: Callable[[], Awaitable[Sequence[SampleUser]]]) -> APIRouter:
    """The routes under ``/pages`` that every service has. `home` is where a signed-in visitor begins."""
    router = pages.router()

    @router.get("/")
    @router.get(PREFIX)
    async def start(_: Anybody) -> Response:
        return RedirectResponse(home, 303)

    @router.get(PREFIX + "/assets/{name}")
    async def one_asset(_: Annotated[Visitor, Depends(page_for_all_alike())], name: str) -> Response:
        found = assets.served().get(name)
        if found is None:
            raise Problem("not-found", 404)
        return Response(found.content, headers=_FOR_GOOD, media_type=found.media_type)

    @router.post(PREFIX + "/language")
    async def choose_language(visitor: Anybody) -> Response:
        form = await visitor.form()
        wanted = form.one("language")
        chosen: Language = "en" if wanted == "en" else "de" if wanted == "de" else visitor.language
        return pages.go(visitor, ours(form.one("back"), home), visitor.session.speaking(chosen))

    _sign_in_routes(router, pages, home)
    if pages.openid.is_local:
        router.include_router(local_sign_in_routes(pages, people))
    return router


def _sign_in_routes(router: APIRouter, pages: Pages, home: str) -> None:
    openid, attempts = pages.openid, pages.attempts

    @router.get(SIGN_IN)
    async def sign_in(visitor: Anybody, back: str = home) -> Response:
        attempt = attempts.new(after_sign_in(back, home))
        try:
            response = RedirectResponse(await openid.way_in(visitor.request, attempt), 303)
        except Problem as problem:
            return _told(pages, visitor, problem, attempt.back)
        attempts.keep(response, (*attempts.of(visitor.request), attempt))
        return response

    @router.get(RETURN)
    async def returned(visitor: Anybody, state: str = "", code: str = "", error: str = "", iss: str = "") -> Response:
        """Back from the sign-in service (RFC 6749, 4.1.2). The attempt is over, however it ended."""
        begun = attempts.of(visitor.request)
        attempt = of_state(begun, state)
        try:
            if attempt is None:
                raise failed("sign-in-other", "state") if begun else failed("sign-in-expired", "attempt")
            _refuse(error, from_ours=openid.is_issuer(iss))
            token = await openid.token(visitor.request, attempt, code)
        except Problem as problem:
            response = _told(pages, visitor, problem, attempt.back if attempt is not None else home)
        else:
            response = pages.go(visitor, attempt.back, visitor.session.signed_in(token))
        if attempt is not None:
            attempts.keep(response, tuple(one for one in begun if one is not attempt))
        return response

    @router.post(PREFIX + "/sign-out")
    async def sign_out(visitor: Anybody) -> Response:
        """Here, and then at the sign-in service: otherwise the next click would sign in again without asking."""
        await visitor.form()
        way_out = await openid.way_out(visitor.request)
        return pages.go(visitor, way_out or f"{SIGNED_OUT}?here=alone", visitor.session.signed_out())

    @router.get(SIGNED_OUT)
    async def signed_out(visitor: Anybody, here: str = "") -> Response:
        return pages.show(visitor, "signed_out.html", here_alone=here == "alone", signed_in=visitor.actor is not None)


def _told(pages: Pages, visitor: Visitor, problem: Problem, back: str) -> Response:
    title, detail = pages.said(problem, visitor.language)
    return pages.show(
        visitor,
        "sign_in_failed.html",
        status=problem.status_code,
        title=title,
        detail=detail,
        back=back,
        another=problem.code in _ANOTHER_SIGN_IN,
    )


def _refuse(error: str, *, from_ours: bool) -> None:
    """Raise `Problem` for an answer of another issuer, or one that says no (RFC 6749, 4.1.2.1)."""
    if not from_ours:
        raise failed("sign-in-invalid", "issuer")
    if error:
        raise failed("sign-in-refused", "refused", 403)


def not_found_route(pages: Pages) -> APIRouter:
    """The last route of all: what is not there under ``/pages`` is told on a page."""
    router = pages.router()

    @router.get(PREFIX + "/{rest:path}")
    async def nothing(_: Anybody, rest: str) -> Response:  # noqa: ARG001
        raise Problem("not-found", 404)

    return router
