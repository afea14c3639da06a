"""How a service signs in at its peers: with the local issuer on one machine, else with the tokens that it was given, one a county."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from services.runtime.local_issuer import LocalIssuer
from services.runtime.settings import Settings

SERVICE: Final = "service"
"""The role in a service's token."""

GOOD_FOR: Final = 60.0
"""Seconds, of a token of the local issuer."""


def service_tokens(settings: Settings) -> Callable[[str], str | None]:
    """The token for a county, or None where there is none.

    It is read or made at each use: tokens expire, and are renewed while a service runs.
    """
    if settings.profile == "production":
        folder = settings.service_tokens_dir
        return lambda county: _read(folder / county) if folder is not None else None
    issuer = LocalIssuer(settings)
    return lambda county: issuer.token(f"service:{settings.service}", SERVICE, county, ttl=GOOD_FOR)


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeError):
        return None
