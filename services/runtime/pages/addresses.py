"""The addresses of the pages that all services have, and which addresses a visitor may be led back to."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "/pages"
SIGN_IN: Final = f"{PREFIX}/sign-in"
RETURN: Final = f"{SIGN_IN}/return"
SIGNED_OUT: Final = f"{PREFIX}/signed-out"

LOCAL: Final = f"{PREFIX}/local-sign-in"
DISCOVERY: Final = f"{LOCAL}/.well-known/openid-configuration"

LONGEST_BACK: Final = 500


def ours(back: str, home: str) -> str:
    """The address to go back to, if it is a page of ours: nobody is led elsewhere by a link to a sign-in."""
    plain = (
        back.startswith(f"{PREFIX}/")
        and "//" not in back
        and back.isascii()
        and back.isprintable()
        and "\\" not in back
        and len(back) <= LONGEST_BACK
    )
    return back if plain else home


def after_sign_in(back: str, home: str) -> str:
    """As `ours`; and never the sign-in itself, which would lead in a circle."""
    return home if back.startswith((SIGN_IN, SIGNED_OUT, LOCAL)) else ours(back, home)
