"""Sign-ins that were begun and have not come back yet: one sealed cookie of the browser that began them.

An attempt counts once, for `GOOD_FOR` seconds of machine time, and only in the browser that holds the cookie: what somebody else began
cannot be ended here. A browser may have a few at once, one a tab; the oldest gives way.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.runtime.seals import Seal, SealBroken

GOOD_FOR: Final = 600
"""Seconds. Long enough to look for a second factor."""

MOST: Final = 3
"""So many fit into the 4,096 bytes of a cookie, each with its address to go back to."""


class Attempt(BaseModel, frozen=True):
    """`state` ties the return to this browser, `nonce` the identity to this attempt, `verifier` the code to whoever asked for it."""

    state: str = Field(repr=False)
    nonce: str = Field(repr=False)
    verifier: str = Field(repr=False)
    back: str
    until: int


class _Kept(BaseModel):
    attempts: tuple[Attempt, ...]


class Attempts:
    """Reads and writes the cookie."""

    def __init__(self, seal: Seal, *, secure: bool, now: Callable[[], float] = time.time) -> None:
        self._seal = seal
        self._secure = secure
        self._now = now
        self.cookie: Final = "__Host-wegenetz-sign-in" if secure else "wegenetz-sign-in"

    def new(self, back: str) -> Attempt:
        """RFC 7636 asks for a verifier of 43 characters and more; 32 bytes are 43."""
        made = [secrets.token_urlsafe(32) for _ in range(3)]
        return Attempt(state=made[0], nonce=made[1], verifier=made[2], back=back, until=int(self._now()) + GOOD_FOR)

    def of(self, request: Request) -> tuple[Attempt, ...]:
        """Those of this browser that still count."""
        try:
            sealed = base64.urlsafe_b64decode(request.cookies.get(self.cookie, ""))
            kept = _Kept.model_validate_json(self._seal.open(sealed))
        except (SealBroken, ValueError, ValidationError):
            return ()
        return tuple(one for one in kept.attempts if one.until > self._now())

    def keep(self, response: Response, attempts: tuple[Attempt, ...]) -> None:
        """From now on the browser has these."""
        if not attempts:
            response.delete_cookie(self.cookie, secure=self._secure, httponly=True, samesite="lax")
            return
        content = _Kept(attempts=attempts[-MOST:]).model_dump_json().encode()
        sealed = base64.urlsafe_b64encode(self._seal.close(content)).decode()
        response.set_cookie(self.cookie, sealed, max_age=GOOD_FOR, secure=self._secure, httponly=True, samesite="lax")


def of_state(attempts: tuple[Attempt, ...], state: str) -> Attempt | None:
    """The attempt that a return belongs to."""
    return next((one for one in attempts if hmac.compare_digest(one.state.encode(), state.encode())), None)
