"""Byte ranges of HTTP (RFC 9110, section 14), as far as a download needs them that was cut off: one range of bytes."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

_ONE: Final = re.compile(r"bytes=(\d*)-(\d*)")


class Asked(NamedTuple):
    """From the `first` to the `last` byte, both included."""

    first: int
    last: int


def asked_for(header: str | None, size: int) -> Asked | Literal["beyond"] | None:
    """What a `Range` header asks for of so many bytes: None is all of it, which is also the answer to what is not understood."""
    match = _ONE.fullmatch(header.strip()) if header is not None else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # so many from the end
        return Asked(max(0, size - int(last)), size - 1) if int(last) and size else "beyond"
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        return "beyond"
    return Asked(int(first), min(int(last), size - 1) if last else size - 1)
