"""Signing in and out, the language, and the assets: the same for the pages of every service.

A sign-in exchanges a token of the county's sign-in service for a session. On one machine, where the local issuer stands in for it, a
list of made-up people is offered instead; in production there is no local issuer, and so no list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from services.runtime.catalogue import Language
from services.runtime.local_issuer import LocalIssuer
from services.runtime.pages import assets
from services.runtime.pages.pages import PREFIX, SIGN_IN, Pages, Visitor, page_for_anybody
from services.runtime.pages.session import LONGEST_SECONDS, LONGEST_TOKEN
from services.runtime.problems import Problem
from services.runtime.security import bearer_token
from services.runtime.tokens import TokenVerifier

Anybody = Annotated[Visitor, Depends(page_for_anybody())]

_FOR_GOOD: Final = {"cache-control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class SampleUser:
    """Somebody made up, who may sign in where there is a local issuer. `role_key` names the words for the role."""

    subject: str
    role: str
    role_key: str
    county: str
    organisation: str | None = None
    name: str = ""

    @property
    def id(self) -> str:
        return f"{self.county}/{self.role}/{self.organisation or ''}"


def common_routes(pages: Pages, home: str, people: Callable[[], Awaitable[Sequence[SampleUser]]]) -> APIRouter:
    """The routes under ``/pages`` that every service has. `home` is where a signed-in visitor begins."""
    router = pages.router()
    local = pages.settings.local_issuer_key_file is not None and pages.settings.profile != "production"

    @router.get("/")
    @router.get(PREFIX)
    async def start(_: Anybody) -> Response:
        return RedirectResponse(home, 303)

    @router.get(PREFIX + "/assets/{name}")
    async def one_asset(_: Anybody, name: str) -> Response:
        found = assets.served().get(name)
        if found is None:
            raise Problem("not-found", 404)
        return Response(found.content, headers=_FOR_GOOD, media_type=found.media_type)

    @router.get(SIGN_IN)
    async def sign_in_page(visitor: Anybody, back: str = home) -> Response:
        return pages.show(visitor, "sign_in.html", people=await people() if local else None, back=_ours(back, home))

    @router.post(SIGN_IN)
    async def sign_in(visitor: Anybody) -> Response:
        """As one of the made-up people."""
        form = await visitor.form()
        chosen = next((one for one in await people() if one.id == form.one("person")), None) if local else None
        if chosen is None:
            raise Problem("not-found", 404)
        issuer = LocalIssuer(pages.settings)
        token = issuer.token(
            chosen.subject, chosen.role, chosen.county, organisation=chosen.organisation, ttl=LONGEST_SECONDS
        )
        return pages.go(visitor, _ours(form.one("back"), home), visitor.session.signed_in(token))

    @router.post(PREFIX + "/session")
    async def begin(visitor: Anybody) -> Response:
        """A session for the bearer token of the request; for the county's sign-in service, which stands before these pages.

        (No form of another site can send that header.)
        """
        token = bearer_token(visitor.request)
        if len(token) > LONGEST_TOKEN:
            raise Problem("token-invalid", 401)
        verifier: TokenVerifier = visitor.request.app.state.verifier
        await verifier.verify(token)
        return pages.go(visitor, home, visitor.session.signed_in(token))

    @router.post(PREFIX + "/sign-out")
    async def sign_out(visitor: Anybody) -> Response:
        await visitor.form()
        return pages.go(visitor, SIGN_IN, visitor.session.signed_out().saying("page.signed-out"))

    @router.post(PREFIX + "/language")
    async def choose_language(visitor: Anybody) -> Response:
        form = await visitor.form()
        wanted = form.one("language")
        chosen: Language = "en" if wanted == "en" else "de" if wanted == "de" else visitor.language
        return pages.go(visitor, _ours(form.one("back"), home), visitor.session.speaking(chosen))

    return router


def _ours(back: str, home: str) -> str:
    """The address to go back to, if it is a page of ours: nobody is led elsewhere by a link to a sign-in."""
    plain = (
        back.startswith(f"{PREFIX}/")
        and "//" not in back
        and back.isascii()
        and back.isprintable()
        and "\\" not in back
    )
    return back if plain else home


def not_found_route(pages: Pages) -> APIRouter:
    """The last route of all: what is not there under ``/pages`` is told on a page."""
    router = pages.router()

    @router.get(PREFIX + "/{rest:path}")
    async def nothing(_: Anybody, rest: str) -> Response:  # noqa: ARG001
        raise Problem("not-found", 404)

    return router
