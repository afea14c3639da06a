"""Who is asking, in the words of intake: for which office, with which limits, and whose word it is.

A clerk acts for the office named in the token and sees that office's cases alone, and of their consents the one of the counter.
Counsellors and the data protection officer act for the county.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from schemas.codes import Purpose, Role, Way
from services.intake.model import COUNTER_PURPOSES, Teller
from services.runtime.problems import Problem
from services.runtime.tokens import Actor

CLERKS: Final = (Role.CLERK, Role.AUTHORITY_CLERK)
CENTRE: Final = "centre"

_TELLERS: Final = {Role.CLERK: Teller.REGISTRY_OFFICE, Role.AUTHORITY_CLERK: Teller.FOREIGNERS_AUTHORITY}


def office_of(actor: Actor) -> str:
    """The office in whose name something is done. Raises `Problem` for a clerk whose token names none."""
    if actor.role in CLERKS:
        if actor.office is None:
            raise Problem("office-missing", 403)
        return actor.office
    return actor.site or CENTRE


def limit_of(actor: Actor) -> str | None:
    """The office whose cases alone the actor may know; None for the whole county."""
    return office_of(actor) if actor.role in CLERKS else None


def purposes_of(actor: Actor) -> Collection[Purpose]:
    """The consents that the actor may know of."""
    return COUNTER_PURPOSES if actor.role in CLERKS else Purpose


def organisation_of(actor: Actor) -> str:
    """The partner that asks. Raises `Problem` when the token names none."""
    if actor.organisation is None:
        raise Problem("organisation-missing", 403)
    return actor.organisation


def teller_of(actor: Actor) -> Teller:
    return _TELLERS.get(Role(actor.role), Teller.CENTRE)


def way_of(actor: Actor) -> Way:
    """The way in of an arrival that comes as JSON."""
    return Way.OFFICE_API if actor.role in CLERKS else Way.CENTRE
