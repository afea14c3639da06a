"""What can happen inside intake without being an event, and what is written beside the states.

Facts change states and stay inside; effects are carried out by `services.intake.store`. None of them holds a person in the clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from schemas.codes import Purpose, Way
from services.intake.model import Booking, Consent, Grant, Register, Statements, Teller
from services.intake.sealing import Sealed


@dataclass(frozen=True, slots=True)
class Registered:
    """A case begins."""

    way: Way
    office: str
    on: date
    register_facts: Register
    statements: Statements
    consent: Consent


@dataclass(frozen=True, slots=True)
class Corrected:
    register_facts: Register
    statements: Statements


@dataclass(frozen=True, slots=True)
class MovedWithin:
    """The person lives elsewhere in the county now, as `told_by` says."""

    district: str
    municipality: str | None
    told_by: Teller


@dataclass(frozen=True, slots=True)
class ConsentRecorded:
    """The person agreed to `purposes`, all in one act."""

    purposes: tuple[Purpose, ...]
    consent: Consent


@dataclass(frozen=True, slots=True)
class Granted:
    """A partner may read from now on."""

    referral: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class GrantEnded:
    referral: str


@dataclass(frozen=True, slots=True)
class SlotBooked:
    site: str
    day: date
    slot: str
    booking: Booking


@dataclass(frozen=True, slots=True)
class SlotFreed:
    appointment: str


@dataclass(frozen=True, slots=True)
class OpenFrom:
    """Every working day of the site before this one is full, but for its gaps; gaps before `gaps_from` are over."""

    day: date
    gaps_from: date


@dataclass(frozen=True, slots=True)
class GapOpened:
    day: date


@dataclass(frozen=True, slots=True)
class GapClosed:
    day: date


@dataclass(frozen=True, slots=True)
class RowTaken:
    """`destroy_at` is machine time."""

    destroy_at: datetime


@dataclass(frozen=True, slots=True)
class LinkAdded:
    """The chain of reads has a new end."""

    head: str


@dataclass(frozen=True, slots=True)
class KeepPerson:
    """Effect: the person's document and key are stored; an earlier document and its key are gone with it (`is_new`: there is none)."""

    case: str
    sealed: Sealed
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class KeepAlike:
    """Effect: two people who are written alike stand on the counsellors' list, `case` the later of them."""

    case: str
    other: str
    noticed_at: datetime


@dataclass(frozen=True, slots=True)
class DropAlike:
    """Effect: the two stand there no more."""

    case: str
    other: str


@dataclass(frozen=True, slots=True)
class DestroyPerson:
    """Effect: document and key are deleted, and that somebody is written alike."""

    case: str


@dataclass(frozen=True, slots=True)
class KeepRead:
    """Effect: the record of one read, the `number`th of its chain."""

    chain: str
    number: int
    record: Mapping[str, object]
    link: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Effect: the books change by so much; by name as in `services.intake.books`."""

    changes: Mapping[str, int]
