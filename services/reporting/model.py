"""The facts that may be counted, as codes: of a person, of an anonymous count, of an offer.

What is kept is what was said, in the codes of the events; whatever makes it coarser happens in counting, so that another coarsening can be
counted from the same facts. Fields that no table needs are not kept.

Of a person, what each source told stands in fields of its own. So facts do not depend on the order in which the topics are read: within
one source order is given, and between sources no field is shared.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.codes import Origin, ResidenceGroup, ServiceKind, Sex, WaitReason, Way
from services.runtime.deciding import Day, State


class Step(StrEnum):
    """The steps that a referral can take, in the order of a way that goes well, then the other ends."""

    PROPOSED = "proposed"
    RELEASED = "released"
    AGREED = "agreed"
    AGREED_IN_ADVANCE = "agreed-in-advance"
    ACCEPTED = "accepted"
    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    REFUSED = "refused"
    DECLINED = "declined"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Arrival(_Part):
    """How the person came, and what the register, the authority and the person say. `district` is that of the arrival."""

    district: str
    arrived_on: Day
    origin: Origin
    in_germany_since: Day | None = None
    citizenships: tuple[str, ...] = ()
    birth_year: int | None = None
    sex: Sex | None = None
    residence_group: ResidenceGroup | None = None


class Move(_Part):
    """A move to another district, or out of the county (`district` is None)."""

    on: Day
    district: str | None


class Appointment(_Part):
    """A slot for the first talk that was not given back."""

    id: str
    on: Day


class Need(_Part):
    id: str
    kind: ServiceKind
    confirmed_on: Day


class Wait(_Part):
    """The first time that there was no seat for a need."""

    need: str
    kind: ServiceKind
    reason: WaitReason
    on: Day


class Referral(_Part):
    """`steps` in the order in which they were taken, each with its day, each once. `came_of_it`: what was reached by the completion, or why
    it failed; empty otherwise."""

    id: str
    kind: ServiceKind
    steps: tuple[tuple[Step, Day], ...] = ()
    came_of_it: str = ""


class Counted(State):
    """What may be counted. `generation` is the rebuild that counted it last (0: none); its rows stand in sheets and entries of that."""

    generation: int = 0


class Facts(Counted):
    """Everything about one person that may be counted; a person counts once the arrival is known.

    `pseudonym` is random and known nowhere else: the keys of this person's records follow from it, and nothing leads back from them once it
    is gone. After an erasure the state is a tombstone: its id, and that nothing more is to be learnt.
    """

    KIND = "case"
    pseudonym: str = ""
    erased: bool = False
    # told by intake
    arrival: Arrival | None = None
    way: Way | None = None
    moves: tuple[Move, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    withdrawn_on: Day | None = None
    # told by profiling
    profiled_on: Day | None = None
    needs: tuple[Need, ...] = ()
    # told by referral
    waits: tuple[Wait, ...] = ()
    referrals: tuple[Referral, ...] = ()


class Count(Counted):
    """Somebody who refused the consent: a district, a month (``2016-03``) and who asked, and nothing that leads to a person."""

    KIND = "count"
    district: str = ""
    arrived_in: str = ""
    way: Way | None = None


class Offer(Counted):
    """An offer with its seats as they are now. `kind` is None until it was published."""

    KIND = "offer"
    kind: ServiceKind | None = None
    district: str = ""
    published_on: Day | None = None
    seats: int = 0


Countable = Facts | Count | Offer
"""Whatever the tables are counted from."""
