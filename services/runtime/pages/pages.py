"""Who is visiting, and how every answer of a page is made, the unpleasant ones included.

pages = Pages(settings, catalogue, TEMPLATES)
router = pages.router()
Partner = Annotated[Visitor, Depends(page_for(Role.PARTNER))]

@router.get("/pages/inbox")
async def inbox(visitor: Partner) -> Response:
    return pages.show(visitor, "inbox.html", lines=...)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from services.runtime.catalogue import Catalogue, Language
from services.runtime.errors import Refused, Transient
from services.runtime.logs import log
from services.runtime.pages.addresses import SIGN_IN, ours
from services.runtime.pages.attempts import Attempts
from services.runtime.pages.forms import Form, read_form
from services.runtime.pages.openid import OpenId
from services.runtime.pages.rendering import Renderer
from services.runtime.pages.session import Session, Sessions
from services.runtime.problems import Problem, document, incident_id, language, of_error, problem_of
from services.runtime.seals import Seals
from services.runtime.security import Guard
from services.runtime.settings import Settings
from services.runtime.tokens import Actor, TokenVerifier

_PAGES: Final = "wegenetz.pages"
"""Where a request carries the pages that it is for."""
_VISITOR: Final = "wegenetz.visitor"
"""Where it carries who asks, as soon as that is known."""

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and no inline script or style. The icons in KERN's style sheet are data. Forms lead nowhere else, but that of
the sign-out to the sign-in service."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks for a page. `actor` is None where nobody has to be signed in, and nobody is."""

    request: Request
    session: Session
    language: Language
    actor: Actor | None
    name: str | None = None
    """As whom the header greets `actor`, if a name is known."""

    @property
    def signed_in(self) -> Actor:
        """Raises `Problem` 401."""
        if self.actor is None:
            raise Problem("token-missing", 401)
        return self.actor

    async def form(self) -> Form:
        """What this visitor has sent. Raises `Problem`."""
        return await read_form(self.request, self.session)


@dataclass(frozen=True, slots=True)
class NavEntry:
    """A way to a part of the pages: its address, the key of its words, and how the addresses of that part begin."""

    address: str
    words: str
    part: tuple[str, ...]


class _Door(Guard):
    """Gives the `Visitor`. With roles, only to those who are signed in with one of them."""

    def __init__(self, roles: frozenset[str], *, looks: bool = True) -> None:
        self.roles = roles
        self._looks = looks
        self.model = APIKey.model_validate({"in": APIKeyIn.cookie, "name": "wegenetz"})
        self.scheme_name = "session"

    async def __call__(self, request: Request) -> Visitor:
        pages: Pages = request.scope[_PAGES]
        session = pages.sessions.of(request)
        verifier: TokenVerifier = request.app.state.verifier
        visitor = Visitor(request, session, session.language or language(request), None)
        if session.token and self._looks:
            try:
                actor = await verifier.verify(session.token)
                visitor = replace(visitor, actor=actor, name=await pages.name_of(actor))
                request.scope[_VISITOR] = visitor
            except Problem:
                if self.roles:
                    raise
        if self.roles and visitor.signed_in.role not in self.roles:
            raise Problem("role-not-allowed", 403)
        return visitor


def page_for(*roles: str) -> _Door:
    """A dependency: lets in whoever is signed in with one of these roles; others are asked to sign in."""
    if not roles:
        raise ValueError("name the roles that may see this page")
    return _Door(frozenset(str(role) for role in roles))


def page_for_anybody() -> _Door:
    """A dependency: lets everybody in, signed in or not."""
    return _Door(frozenset())


def page_for_all_alike() -> _Door:
    """A dependency: lets everybody in, and does not look who it is. For what is the same for all."""
    return _Door(frozenset(), looks=False)


async def _nameless(_: Actor) -> str | None:
    return None


class Pages:
    """The pages of one service. `nav` says which entries a signed-in visitor sees, `name_of` how the header calls them (None: by the
    sign-in's id)."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        *folders: Path,
        nav: Callable[[Actor], Sequence[NavEntry]] = lambda actor: (),
        name_of: Callable[[Actor], Awaitable[str | None]] = _nameless,
        **words: object,
    ) -> None:
        self.catalogue = catalogue
        self.settings = settings
        self.seals = Seals(settings)
        secure = settings.profile == "production"
        self.sessions = Sessions(self.seals.of("sessions"), secure=secure)
        self.attempts = Attempts(self.seals.of("sign-in"), secure=secure)
        self.openid = OpenId(settings)
        self._policy = _POLICY.format(forms=" ".join(("'self'", self.openid.origin or "")).strip())
        self._renderer = Renderer(catalogue, *folders, **words)
        self._nav = nav
        self.name_of = name_of

    def router(self) -> APIRouter:
        """For routes whose errors are pages too. They name their whole path, which begins with `PREFIX`."""
        return APIRouter(route_class=self._route_class(), include_in_schema=False)

    def show(self, visitor: Visitor, template: str, *, status: int = 200, **values: object) -> Response:
        """A page. A sentence that was kept for it is shown on it and then forgotten."""
        return self._page(visitor, template, status, values)

    def go(self, visitor: Visitor, path: str, session: Session | None = None) -> Response:
        """After a form: on to another page, with the session as it is now."""
        response = RedirectResponse(path, 303)
        now = session or visitor.session
        self.sessions.keep(response, now)
        self.sessions.say(response, now)
        return response

    def said(self, refused: Refused | Problem, spoken: Language) -> tuple[str, str]:
        """Title and detail of what stands against something."""
        problem = problem_of(refused) if isinstance(refused, Refused) else refused
        told = document(problem, self.catalogue, spoken)
        return str(told["title"]), str(told["detail"])

    def _page(self, visitor: Visitor, template: str, status: int, values: Mapping[str, object]) -> Response:
        session, actor, spoken = visitor.session, visitor.actor, visitor.language
        own: dict[str, object] = {
            "actor": actor,
            "who": visitor.name or (actor.organisation or actor.subject if actor is not None else ""),
            "nav": self._nav(actor) if actor is not None else (),
            "path": visitor.request.url.path,
            "here": _address(visitor.request),
            "secret": session.form,
            "said": (session.said, session.tone) if session.said else None,
        }
        content = self._renderer.html(template, spoken, {**own, **values})
        headers = {"content-security-policy": self._policy, "content-language": spoken}
        response = Response(content, status, headers, "text/html; charset=utf-8")
        self.sessions.keep(response, session)
        self.sessions.said(response, session)
        return response

    # --- what goes wrong --------------------------------------------------------------------------------------------

    def _route_class(self) -> type[APIRoute]:
        pages = self

        class PageRoute(APIRoute):
            """Answers its errors with a page."""

            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                inner = super().get_route_handler()

                async def handler(request: Request) -> Response:
                    request.scope[_PAGES] = pages
                    try:
                        return await inner(request)
                    except (HTTPException, Refused, Transient, RequestValidationError) as error:
                        return pages.problem(request, of_error(error))
                    except ClientDisconnect:
                        raise
                    except Exception as error:  # noqa: BLE001 - the last place where a page can be made of it
                        log.error("request.failed", exception=error, method=request.method)
                        return pages.problem(request, Problem("internal", 500, incident=incident_id()))

                return handler

        return PageRoute

    def problem(self, request: Request, problem: Problem) -> Response:
        """The page for a problem. Whoever is not signed in is led to the sign-in, and from there back."""
        session = self.sessions.of(request)
        if problem.status_code == 401 and request.method == "GET" and _is_navigation(request):
            response = RedirectResponse(f"{SIGN_IN}?back={quote(_address(request), safe='/')}", 303)
            self.sessions.keep(response, session)
            return response
        spoken = session.language or language(request)
        title, detail = self.said(problem, spoken)
        values: dict[str, object] = {"title": title, "detail": detail, "code": problem.status_code}
        visitor = request.scope.get(_VISITOR) or Visitor(request, session, spoken, None)
        return self._page(visitor, "problem.html", problem.status_code, values)


def _address(request: Request) -> str:
    """Path and query, if it is one to come back to; else the path."""
    url = request.url
    return ours(f"{url.path}?{url.query}" if url.query else url.path, url.path)


def _is_navigation(request: Request) -> bool:
    """Whether a person went there, and not a script of a page that is open already: that one stays as it is."""
    return request.headers.get("sec-fetch-mode", "navigate") == "navigate" and "hx-request" not in request.headers
