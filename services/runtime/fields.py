"""The only fields that a span or a log line may carry, each with the shape of its values.

This is why no personal data can get into traces and logs: a name that is not in `FIELDS` is left out, and so is a value that does
not have its field's shape. The shapes admit random ids, codes, numbers and templates, and none of them admits a blank, a quotation
mark or a letter outside ASCII. Who needs another field adds one line here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Final

Value = str | int | float | tuple[str, str] | None
"""What a caller may hand over: text, a number, or a `Subject` (a pair of kind and id, written ``kind/id``)."""

Shape = Callable[[str], object]


def _matching(pattern: str) -> Shape:
    return re.compile(pattern).fullmatch


def _never(text: str) -> None:
    """The shape of a field that takes numbers only."""


_SUBJECT: Final = _matching(r"[a-z]{1,20}/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID: Final = _matching(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COUNTY: Final = _matching(r"[0-9]{5}")
_CODE: Final = _matching(r"[a-z][a-z0-9_.-]{0,79}")
_TYPE: Final = _matching(r"[A-Za-z_][A-Za-z0-9_.-]{0,119}")
_METHOD: Final = _matching(r"GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|OTHER")
_ROUTE: Final = _matching(r"unmatched|/[A-Za-z0-9_{}/.:-]{0,159}")
_SPAN_NAME: Final = _matching(r"[A-Za-z0-9_{}/.:-]+(?: [A-Za-z0-9_{}/.:-]+){0,5}")

FIELDS: Final[Mapping[str, Shape]] = {
    # what a message is about
    "subject": _SUBJECT,  # kind and random id of the thing
    "referral": _ID,  # the referral of the subject that the message names
    "county": _COUNTY,  # the tenant
    "type": _TYPE,  # an event's or a command's type
    "source": _CODE,  # the service that sent it
    "sequence": _never,  # its number within the subject
    "kind": _CODE,  # the kind of a subject
    # where it came from
    "topic": _CODE,
    "partition": _never,
    "offset": _never,
    "method": _METHOD,
    "route": _ROUTE,  # the template of a path, never the path
    "http_status": _never,
    "peer": _CODE,  # the name of another service
    # how it went
    "outcome": _CODE,
    "reason": _CODE,
    "step": _CODE,
    "error": _TYPE,  # the type of an exception
    # how many and how long
    "attempt": _never,
    "bytes": _never,
    "commands": _never,
    "count": _never,
    "events": _never,
    "limit": _never,
    "port": _never,
    "records": _never,
    "seconds": _never,
    "states": _never,
    "subjects": _never,
}


def fit(name: str, value: Value) -> str | int | float | None:
    """The value as it may be written, or None when the field or the value may not be."""
    shape = FIELDS.get(name)
    if shape is None or value is None:
        return None
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, int):
        return int(value)
    text = value if isinstance(value, str) else f"{value[0]}/{value[1]}"
    return text if shape(text) else None


def is_span_name(text: str) -> bool:
    """A verb and what it is done to (``apply arrival-registered``, ``POST /v1/imports/{id}``): at most six plain words."""
    return len(text) <= 200 and _SPAN_NAME(text) is not None
