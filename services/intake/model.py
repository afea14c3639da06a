"""What intake remembers: cases, the daybooks of the sites, the rows of files, counts, and the chain of the audit.

Everything here is coded facts and random ids. Names and contact are never part of a state; they lie in the person's encrypted document
(`services.intake.sealing`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, computed_field

from schemas.codes import ContactField, Origin, Purpose, ResidenceGroup, Sex, Way
from services.runtime.deciding import Day, State

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:wegenetz:intake")


class Teller(StrEnum):
    """Who said it."""

    REGISTRY_OFFICE = "registry-office"
    FOREIGNERS_AUTHORITY = "foreigners-authority"
    CENTRE = "centre"
    PERSON = "person"


class Status(StrEnum):
    """Where a case stands. Every case is in exactly one."""

    UNKNOWN = "unknown"
    """Somebody else spoke of it before its arrival."""
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    """The person took back the consent of the counter."""
    MOVED = "moved"
    """Out of the county."""
    ERASED = "erased"


class Part(BaseModel):
    """Base of what states are made of."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def group_told_by(office: Teller) -> Teller:
    """Whose word a residence group is: the foreigners authority's own, and wherever else it is written down, the person's."""
    return office if office is Teller.FOREIGNERS_AUTHORITY else Teller.PERSON


class Register(Part):
    """Facts of the register as they are now: of the arrival, corrected since, and the residence after moves within the county.

    `told_by` told them at the arrival; `changed_by` names, for each fact that is another one since, who told that.
    """

    told_by: Teller
    changed_by: Mapping[str, Teller] = {}
    district: str
    municipality: str | None = None
    arrived_on: Day
    origin: Origin = Origin.UNKNOWN
    in_germany_since: Day | None = None
    citizenships: tuple[str, ...] = ()
    birth_year: int | None = None
    sex: Sex | None = None

    def with_changes(self, changes: Mapping[str, object], told_by: Teller) -> Register:
        """Other facts by name, and whose word they are; what is not among them stays whose it was."""
        return self.model_copy(update={**changes, "changed_by": {**self.changed_by, **dict.fromkeys(changes, told_by)}})


class Statements(Part):
    """What was told of free will, and what the office did for the welcome. The residence group is told by the foreigners authority or the
    person, never by the registry office."""

    told_by: Teller = Teller.PERSON
    languages: tuple[str, ...] = ()
    residence_group: ResidenceGroup | None = None
    residence_group_told_by: Teller | None = None
    welcome_package: bool = False


COUNTER_PURPOSES: Final = frozenset({Purpose.TRANSFER})
"""The consents that an office asks for, sees and may take back. All others are the migration centre's to ask and to keep."""


class Consent(Part):
    """One consent: asked for in a language, with a version of the text, at an office, on a day."""

    language: str | None
    text_version: str | None
    office: str
    given_on: Day
    withdrawn_on: Day | None = None

    @property
    def is_current(self) -> bool:
        return self.withdrawn_on is None


class Appointment(Part):
    """A slot that is this person's alone."""

    id: str
    site: str
    starts_at: datetime
    interpreter: str | None = None


class Grant(Part):
    """A partner may read these fields of a person, to the end of `until`, for a purpose that the person agreed to."""

    partner: str
    purpose: Purpose
    fields: tuple[ContactField, ...]
    until: Day


class Case(State):
    """One person's way through the system. After erasure nothing is left but the id and `erased`.

    `appointments` are those that were not released, the last one current; `booked` counts all there ever were. `grants` are by referral.
    """

    KIND: ClassVar[str] = "case"
    way: Way | None = None
    office: str | None = None
    registered_on: Day | None = None
    register_facts: Register | None = None
    statements: Statements = Statements()
    consents: Mapping[Purpose, Consent] = {}
    appointments: tuple[Appointment, ...] = ()
    booked: int = 0
    grants: Mapping[str, Grant] = {}
    moved_out_on: Day | None = None
    erased: bool = False

    @computed_field
    @property
    def status(self) -> Status:
        """Kept in the stored state, where the books count it."""
        if self.erased:
            return Status.ERASED
        if self.register_facts is None:
            return Status.UNKNOWN
        if self.moved_out_on is not None:
            return Status.MOVED
        return Status.ACTIVE if self.consents_to(Purpose.TRANSFER) else Status.WITHDRAWN

    def consents_to(self, purpose: Purpose) -> bool:
        consent = self.consents.get(purpose)
        return consent is not None and consent.is_current

    def upcoming(self, now: datetime) -> Appointment | None:
        """The current appointment, if it has not begun."""
        if self.appointments and self.appointments[-1].starts_at > now:
            return self.appointments[-1]
        return None


class Booking(Part):
    """Who has a slot."""

    appointment: str
    case: str
    interpreter: str | None = None


class SlotTaken(RuntimeError):
    """Somebody has this slot already. Booking looks before it takes, so this is a bug and not an answer."""


class Daybook(State):
    """One day at one site: which slots are taken, and by whom. A slot holds one booking, because it is a key."""

    KIND: ClassVar[str] = "daybook"
    site: str = ""
    day: Day | None = None
    taken: Mapping[str, Booking] = {}

    def with_booking(self, site: str, day: date, slot: str, booking: Booking) -> Daybook:
        if slot in self.taken:
            raise SlotTaken(slot)
        return self.but(site=site, day=day, taken={**self.taken, slot: booking})

    def without(self, appointment: str) -> Daybook:
        return self.but(taken={slot: held for slot, held in self.taken.items() if held.appointment != appointment})


class Calendar(State):
    """Where to look for a free slot at one site.

    Every working day before `open_from` was full when it was passed by; `gaps` are those of them in which a slot has been freed
    since. It only shortens the search: which slot is free is said by the daybook alone.
    """

    KIND: ClassVar[str] = "calendar"
    open_from: Day | None = None
    gaps: tuple[Day, ...] = ()


class Row(State):
    """A row of a file that was taken before. Its id is the row's digest and all that is known of it.

    The database itself deletes it at `destroy_at`, by the machine's time.
    """

    KIND: ClassVar[str] = "row"
    destroy_at: datetime | None = None


class Count(State):
    """Somebody who refused the consent was counted once. Nothing is kept; the id is random."""

    KIND: ClassVar[str] = "count"


class AuditDay(State):
    """The end of one county's chain of reads on one day: so that two reads at once cannot both be the next link."""

    KIND: ClassVar[str] = "audit"
    records: int = 0
    head: str = ""


@lru_cache(maxsize=20_000)
def daybook_id(county: str, site: str, day: date) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"daybook/{county}/{site}/{day.isoformat()}"))


@lru_cache(maxsize=1_000)
def calendar_id(county: str, site: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"calendar/{county}/{site}"))


@lru_cache(maxsize=1_000)
def audit_id(county: str, day: date) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"audit/{county}/{day.isoformat()}"))
