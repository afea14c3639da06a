"""Who may sign in on one machine, to look around: partners as they stand in directory and offers, their coordinator, and operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.codes import Role
from schemas.places import UnknownPlace, county
from services.referral import store as kept
from services.runtime.pages import SampleUser
from services.runtime.running import Running

MOST: Final = 60


async def sample_users(running: Running) -> Sequence[SampleUser]:
    """Somebody of each partner that has offers, by name, and an operator, for each county."""
    found: list[SampleUser] = []
    for key in running.settings.counties:
        store = running.store(key)
        names = {one.code: one.entry.name for one in await kept.partners(store) if one.entry is not None}
        listed = await kept.list_offers(store, None, None, 1000)
        codes = {offer.terms.partner for offer in listed if offer.terms is not None} | set(names)
        partners = [
            SampleUser(f"{code}-1", Role.PARTNER, "partner.role", key, code, names.get(code, code))
            for code in sorted(codes, key=lambda code: names.get(code, code).casefold())
        ]
        found += partners[:MOST]
        found.append(SampleUser("coordinator-1", Role.COORDINATOR, "network.role", key, name=_county_name(key)))
        found.append(SampleUser("operator-1", Role.OPERATOR, "partner.role-operator", key, name=_county_name(key)))
    return found


def _county_name(key: str) -> str:
    try:
        return county(key).name
    except UnknownPlace:
        return key
