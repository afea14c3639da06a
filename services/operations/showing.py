"""Bytes that anybody may have sent, for a person to look at: nothing in them can hide, move or pretend to be something else."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

SHOWN_CHARACTERS: Final = 20_000
SHOWN_BYTES: Final = 512
_A_LINE: Final = 16
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Categories of characters that do something instead of being seen (control, direction, joining), or mean nothing."""


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` is what to show; `is_text` says that the bytes were UTF-8, else it is their hexadecimal form. `whole` is all of the text as it
    was, to be corrected; None where a form could not give it back unchanged."""

    text: str
    is_text: bool
    size: int
    cut: bool
    whole: str | None


def shown(raw: bytes) -> Shown:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return Shown(
            _hexadecimal(raw[:SHOWN_BYTES]), is_text=False, size=len(raw), cut=len(raw) > SHOWN_BYTES, whole=None
        )
    visible = "".join([_visible(character) for character in text[:SHOWN_CHARACTERS]])
    cut = len(text) > SHOWN_CHARACTERS
    return Shown(visible, is_text=True, size=len(raw), cut=cut, whole=None if cut or visible != text else text)


def _visible(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in _HIDDEN:
        return character
    return f"\\u{{{ord(character):04x}}}"


def _hexadecimal(raw: bytes) -> str:
    lines: list[str] = []
    for start in range(0, len(raw), _A_LINE):
        part = raw[start : start + _A_LINE]
        plain = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
        lines.append(f"{start:04x}  {part.hex(' '):<47}  {plain}")
    return "\n".join(lines)
