"""Who is written like somebody who is here already: a hint for people to look at, and never an answer.

Names and birth date alone say it (`CountyKeys.search_key`), so it may be the same person or another one. Whichever way somebody comes in,
the pair goes onto the counsellors' list in the decision that registers the person. Offices are told of their own cases alone: that
somebody has a case elsewhere in the county is not theirs to know.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.intake import store
from services.intake.commands import CountArrival, RegisterArrival
from services.runtime.store import CountyStore

Arrival = RegisterArrival | CountArrival


async def noticed(county_store: CountyStore, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """The same arrivals, in their order; whoever is registered comes with the cases that are written alike, here or further up."""
    keys = {arrival.person.search_key for arrival in arrivals if isinstance(arrival, RegisterArrival)}
    here = await store.written_alike(county_store, keys)
    above: dict[bytes, tuple[str, ...]] = {}
    found: list[Arrival] = []
    for arrival in arrivals:
        if not isinstance(arrival, RegisterArrival):
            found.append(arrival)
            continue
        key = arrival.person.search_key
        alike, alike_above = here.get(key, ()), above.get(key, ())
        above[key] = (*alike_above, arrival.case)
        if alike or alike_above:
            arrival = arrival.model_copy(update={"alike": alike, "alike_above": alike_above})  # noqa: PLW2901
        found.append(arrival)
    return found


async def hinted(county_store: CountyStore, arrival: Arrival, office: str | None) -> Arrival:
    """One arrival with its hints: those that the answer names are of this office, or of the whole county when there is none."""
    (found,) = await noticed(county_store, [arrival])
    if not isinstance(found, RegisterArrival) or not found.alike:
        return found
    told = found.alike if office is None else await store.of_office(county_store, found.alike, office)
    return found.model_copy(update={"possible_duplicates": told})
