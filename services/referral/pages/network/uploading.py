"""A form with a file as a browser sends it without JavaScript (multipart/form-data, RFC 7578), once it is known that the form was ours."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from services.referral.directory.api_import import MOST_BYTES, received
from services.runtime.pages import Visitor
from services.runtime.problems import Problem

_OURS: Final = "form"
_SENT: Final = "multipart/form-data"
_AROUND: Final = 64 * 1024
"""Bytes beside the file: boundaries, headings, the other fields."""
_OWN_SITE: Final = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Upload:
    """The content of the file; empty when none was chosen. Its name is not kept: it may say anything."""

    content: bytes = field(repr=False)


async def read_upload(visitor: Visitor, name: str) -> Upload:
    """The file in the field of this name. Raises `Problem`: 403 for a form of another site or session, 413, 415, 400."""
    request = visitor.request
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        raise Problem("form-not-ours", 403)
    sent = Message()
    sent["content-type"] = request.headers.get("content-type", "")
    boundary = sent.get_param("boundary")
    if sent.get_content_type() != _SENT or not isinstance(boundary, str) or not boundary.isascii():
        raise Problem("unsupported-media-type", 415, expected=_SENT)
    found = parts(await received(request, MOST_BYTES + _AROUND), boundary.encode())
    if not hmac.compare_digest(found.get(_OURS, b""), visitor.session.form.encode()):
        raise Problem("form-not-ours", 403)
    return Upload(found.get(name, b""))


def parts(body: bytes, boundary: bytes) -> dict[str, bytes]:
    """The parts by name. Raises `Problem` 400 for a body that does not end as it should."""
    first, *some = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if first or not some or not some[-1].startswith(b"--"):
        raise Problem("bad-request", 400)
    found: dict[str, bytes] = {}
    for part in some[:-1]:
        head, empty_line, content = part.partition(b"\r\n\r\n")
        named = re.search(rb'^content-disposition:[^\r\n]*[; ]name="([^"\r\n]*)"', head, re.IGNORECASE | re.MULTILINE)
        if not empty_line or named is None:
            raise Problem("bad-request", 400)
        found[named[1].decode(errors="replace")] = content
    return found
