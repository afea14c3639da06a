"""A form that brings a file: read as a browser sends it (multipart/form-data, RFC 7578), after it is known that the form was ours.

The route is marked `@upload`. All of the body is in memory, so a page says how much it takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.runtime.pages.forms import Form, form_of
from services.runtime.pages.pages import Visitor
from services.runtime.problems import Problem

_KIND: Final = "multipart/form-data"
_BOUNDARY: Final = re.compile(r"boundary=\"?([0-9A-Za-z'()+_,./:=? -]{1,70})\"?")
_NAME: Final = re.compile(rb'(?:^|;)\s*name="([^"\r\n]*)"', re.IGNORECASE)
_IS_FILE: Final = re.compile(rb"(?:^|;)\s*filename\*?=", re.IGNORECASE)
MOST_PARTS: Final = 50
_ROOM_FOR_FIELDS: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """The form and its files by field. A file that was not chosen is empty. The file's name is not kept: it may name a person."""

    form: Form
    files: Mapping[str, bytes] = field(repr=False)


async def read_upload(visitor: Visitor, most_bytes: int) -> Upload:
    """Raises `Problem`: 403 for a form that was not ours, 413, 415, 400."""
    kind = visitor.request.headers.get("content-type", "")
    boundary = _BOUNDARY.search(kind)
    if kind.partition(";")[0].strip().lower() != _KIND or boundary is None:
        raise Problem("unsupported-media-type", 415, expected=_KIND)
    body = bytearray(b"\r\n")
    async for part in visitor.request.stream():
        body += part
        if len(body) > most_bytes + _ROOM_FOR_FIELDS:
            raise Problem("body-too-large", 413, limit_kib=most_bytes // 1024)
    fields, files = parsed(bytes(body), boundary[1].strip().encode())
    return Upload(form_of(visitor.request, visitor.session, fields), files)


def parsed(body: bytes, boundary: bytes) -> tuple[dict[str, list[str]], dict[str, bytes]]:
    """Fields and files of a body that begins with a line break. Raises `Problem` 400."""
    _, *parts = body.split(b"\r\n--" + boundary, MOST_PARTS + 1)
    if not parts or not parts[-1].startswith(b"--"):
        raise Problem("bad-request", 400)
    fields: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    for part in parts[:-1]:
        head, is_there, content = part.partition(b"\r\n\r\n")
        name, is_file = _named(head.split(b"\r\n"))
        if not is_there or name is None:
            raise Problem("bad-request", 400)
        if is_file:
            files[name] = content
        else:
            fields.setdefault(name, []).append(_text(content))
    return fields, files


def _named(headers: Sequence[bytes]) -> tuple[str | None, bool]:
    for header in headers:
        title, _, value = header.partition(b":")
        if title.strip().lower() == b"content-disposition":
            found = _NAME.search(value)
            return (_text(found[1]) if found else None), _IS_FILE.search(value) is not None
    return None, False


def _text(content: bytes) -> str:
    try:
        return content.decode().strip()
    except UnicodeDecodeError:
        raise Problem("bad-request", 400) from None
