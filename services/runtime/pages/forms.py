"""What a form brings: read as a browser sends it (application/x-www-form-urlencoded), after it is known that the form was ours.

Values are as they were typed, without blanks at the ends, so that a page with an error can show them again.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from services.runtime.pages.session import Session
from services.runtime.problems import Problem

_OURS: Final = "form"
"""The field that carries the session's secret."""
KEY: Final = "key"
MOST_FIELDS: Final = 2000
LONGEST_KEY: Final = 100

_FORM: Final = "application/x-www-form-urlencoded"
_OWN_SITE: Final = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form. `key` is the one under which its action is carried out once."""

    key: str
    fields: Mapping[str, Sequence[str]] = field(repr=False)

    def one(self, name: str) -> str:
        """The field's last value; empty when it is missing."""
        values = self.fields.get(name)
        return values[-1] if values else ""

    def all(self, name: str) -> Sequence[str]:
        return self.fields.get(name, ())


def new_key() -> str:
    """The key of a form that is given out now."""
    return secrets.token_urlsafe(16)


async def read_form(request: Request, session: Session) -> Form:
    """The form that was sent. Raises `Problem` 403 for one that another site sent, or that was given out in another session."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        _refuse_other_sites(request)
        raise Problem("unsupported-media-type", 415, expected=_FORM)
    return form_of(request, session, _parsed(await request.body()))


def form_of(request: Request, session: Session, fields: Mapping[str, Sequence[str]]) -> Form:
    """The form with these fields, if it is ours. Raises `Problem` 403."""
    _refuse_other_sites(request)
    ours = fields.get(_OURS, [""])[-1]
    if not hmac.compare_digest(ours.encode(), session.form.encode()):
        raise Problem("form-not-ours", 403)
    key = fields.get(KEY, [""])[-1]
    return Form(key if key.isascii() and 0 < len(key) <= LONGEST_KEY else new_key(), fields)


def _refuse_other_sites(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        raise Problem("form-not-ours", 403)


def _parsed(body: bytes) -> Mapping[str, Sequence[str]]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Problem("bad-request", 400) from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.strip())
    return fields
