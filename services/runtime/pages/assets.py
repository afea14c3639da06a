"""The style sheets, fonts and scripts of pages: a few files beside this one, served by each service itself.

Their addresses carry a digest of their content, so that browsers keep them for good and never have an old one.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("assets")
PATH: Final = "/pages/assets"

_KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
}
_NAMED: Final = re.compile(r"\{\{([A-Za-z0-9.-]+)\}\}")


class Asset:
    """A file as it is served. In a style sheet of ours ``{{NAME}}`` stands for the address of another asset."""

    def __init__(self, file: Path) -> None:
        content = file.read_bytes()
        if file.name == "wegenetz.css":
            content = _NAMED.sub(lambda found: address(found[1]), content.decode()).encode()
        self.content: Final = content
        self.media_type: Final = _KINDS[file.suffix]
        self.name: Final = f"{file.stem}.{hashlib.sha256(content).hexdigest()[:12]}{file.suffix}"


@cache
def asset(name: str) -> Asset:
    """The asset with this file name. Raises FileNotFoundError."""
    return Asset(FOLDER / name)


def address(name: str) -> str:
    """Where browsers find it."""
    return f"{PATH}/{asset(name).name}"


@cache
def served() -> dict[str, Asset]:
    """Every asset by the name in its address."""
    names = (file.name for file in FOLDER.iterdir() if file.suffix in _KINDS)
    return {one.name: one for one in map(asset, names)}
