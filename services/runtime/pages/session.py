"""A visitor's session: one cookie, sealed, that only this service opens. Nothing about it is kept on the server.

It holds the bearer token that the visitor signed in with (so that a page asks other services under the visitor's own right), the secret
that its forms carry, and the language that was chosen. It is set when one of these changes and never again with an answer, so that a
page that was asked for before a sign-out, and comes after it, does not sign in again. A sentence to be shown once has a cookie of its
own. It is http-only and same-site; over https it is bound to this host. It ends with the token, after `LONGEST_SECONDS` of machine time,
or when the visitor signs out.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.runtime.catalogue import Language
from services.runtime.seals import Seal, SealBroken

LONGEST_SECONDS: Final = 10 * 3600
"""A working day. Whoever comes back tomorrow signs in again."""

LONGEST_TOKEN: Final = 2500
"""Sealed and in base64 it still fits into the 4,096 bytes that browsers keep of a cookie (RFC 6265, 6.1)."""

Tone = Literal["success", "warning", "danger", "info"]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore")
    until: int
    form: str
    token: str = ""
    language: Language | None = None


class _Said(BaseModel):
    said: str
    tone: Tone


Kept = TypeVar("Kept", _Kept, _Said)


@dataclass(frozen=True, slots=True)
class Session:
    """`form`: the secret of its forms. `said`: a key of the catalogue, shown once on the next page in this `tone`. `kept`: the visitor
    has it already."""

    form: str = field(repr=False)
    until: int
    token: str = field(default="", repr=False)
    language: Language | None = None
    said: str = ""
    tone: Tone = "success"
    kept: bool = field(default=False, compare=False)

    def saying(self, key: str, tone: Tone = "success") -> Session:
        return replace(self, said=key, tone=tone)

    def signed_in(self, token: str) -> Session:
        """With a new secret: what was given out before the sign-in counts no more."""
        return replace(self, token=token, form=secrets.token_urlsafe(24), kept=False)

    def signed_out(self) -> Session:
        return replace(self, token="", form=secrets.token_urlsafe(24), kept=False)

    def speaking(self, language: Language) -> Session:
        return replace(self, language=language, kept=False)


class Sessions:
    """Reads and writes the cookie."""

    def __init__(self, seal: Seal, *, secure: bool, now: Callable[[], float] = time.time) -> None:
        self._seal = seal
        self._secure = secure
        self._now = now
        self.cookie: Final = "__Host-wegenetz" if secure else "wegenetz"
        self._said: Final = f"{self.cookie}-said"

    def of(self, request: Request) -> Session:
        """The visitor's session; a new one when there is none, or when it is over or not ours."""
        sealed = request.cookies.get(self.cookie)
        kept = self._opened(_Kept, sealed) if sealed else None
        once = self._opened(_Said, request.cookies[self._said]) if self._said in request.cookies else None
        told = once.model_dump() if once is not None else {}
        if kept is None or kept.until <= self._now():
            return Session(form=secrets.token_urlsafe(24), until=int(self._now()) + LONGEST_SECONDS, **told)
        return Session(**kept.model_dump(), **told, kept=True)

    def keep(self, response: Response, session: Session) -> None:
        """Give the visitor this session, unless it is the one that the visitor has."""
        if not session.kept:
            kept = _Kept(until=session.until, form=session.form, token=session.token, language=session.language)
            self._set(response, self.cookie, kept, session.until)

    def say(self, response: Response, session: Session) -> None:
        """Have its sentence shown on the next page."""
        if session.said:
            self._set(response, self._said, _Said(said=session.said, tone=session.tone), session.until)

    def said(self, response: Response, session: Session) -> None:
        """It has been shown."""
        if session.said:
            response.delete_cookie(self._said, secure=self._secure, httponly=True, samesite="lax")

    def _set(self, response: Response, name: str, kept: BaseModel, until: int) -> None:
        sealed = base64.urlsafe_b64encode(self._seal.close(kept.model_dump_json(exclude_defaults=True).encode()))
        response.set_cookie(
            name,
            sealed.decode(),
            max_age=max(0, until - int(self._now())),
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def _opened(self, kind: type[Kept], sealed: str) -> Kept | None:
        try:
            return kind.model_validate_json(self._seal.open(base64.urlsafe_b64decode(sealed)))
        except (SealBroken, ValueError, ValidationError):
            return None
