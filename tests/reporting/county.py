"""A county in whose name things are told to reporting, and what is counted of it. Shared by the tests of this folder."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from schemas.codes import Origin, Purpose, ResidenceGroup, ServiceKind, Sex, Way
from schemas.events import ArrivalRegistered, EventData, NeedConfirmed, PersonCorrected
from services.reporting.counting import contributions
from services.reporting.decide import Kept, Recounted, decide, evolve, names
from services.reporting.model import Count, Countable, Facts, Offer
from services.reporting.store import COUNTABLES, writes
from services.reporting.sums import Sums
from services.runtime.deciding import Logic
from tests.given import World

COUNTY = "03459"
MELLE, BRAMSCHE, ARTLAND = "034590024", "034590014", "034595401"
MARCH = datetime(2016, 3, 15, 9, tzinfo=UTC)


def id_of(name: str) -> str:
    """An id that is the same each time."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


AMAL, BOGDAN, CORA = id_of("amal"), id_of("bogdan"), id_of("cora")

LOGIC = Logic(
    source="reporting",
    states=COUNTABLES,
    names=names,
    decide=partial(decide, pseudonyms=lambda case: f"pseudonym of {case}"),
    evolve=evolve,
    writes=writes,
)

REGISTER: dict[str, Any] = {
    "district": MELLE,
    "arrived_on": date(2016, 3, 1),
    "origin": Origin.ABROAD,
    "citizenships": ("SY",),
    "birth_year": 1988,
    "sex": Sex.FEMALE,
    "residence_group": ResidenceGroup.REFUGEE,
}


def arrival(**different: Any) -> ArrivalRegistered:
    """A woman from Syria, registered in Melle from an office's file on 1 March 2016; unless something is different."""
    return ArrivalRegistered(**REGISTER | {"way": Way.OFFICE_FILE, "consents": (Purpose.TRANSFER,)} | different)


def correction(**different: Any) -> PersonCorrected:
    return PersonCorrected(**REGISTER | different)


def need(name: str, kind: ServiceKind = ServiceKind.LOTSE) -> NeedConfirmed:
    return NeedConfirmed(need=id_of(name), kind=kind)


class Reporting(World):
    """Hears what the other services tell, and knows what has been counted so far."""

    def __init__(self, now: datetime = MARCH) -> None:
        super().__init__(LOGIC, county=COUNTY, now=now)

    def tell(self, id: str, *events: EventData, at: datetime | None = None) -> Reporting:
        """Somebody tells these events about this subject, now or at another instant."""
        self.now = at or self.now
        for event in events:
            self.hears(event, id)
        return self

    @property
    def counted(self) -> Sums:
        """What the effects of all decisions add up to: the live counts."""
        return sums_of(self.effects)

    @property
    def kept(self) -> Sums:
        kept = Sums()
        for effect in self.effects:
            if isinstance(effect, Kept):
                kept.count(effect.rows)
        return kept

    @property
    def recounted(self) -> Sums:
        """What a rebuild finds: the contributions of all facts, and what was kept."""
        sums = self.kept
        for facts in self.states.values():
            assert isinstance(facts, Facts | Count | Offer)
            sums.count(contributions(facts))
        return sums

    def facts(self, id: str) -> Countable:
        return self.get(Facts, id)

    def table(self, name: str) -> dict[tuple[str, ...], int]:
        """A table's counts by month and values."""
        return {(cell.period, *cell.values): figure.n for cell, figure in self.counted if cell.table == name}


def sums_of(effects: list[object]) -> Sums:
    sums = Sums()
    for effect in effects:
        if isinstance(effect, Recounted):
            sums.count(effect.added)
            sums.count(effect.retracted, -1)
    return sums
