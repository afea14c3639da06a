"""What each event means for the facts. Nothing is decided here: reporting believes what it is told.

`MEANINGS` has an entry for every event type that reporting subscribes to; None where no table counts what it tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Generic, TypeVar

from schemas.codes import Purpose
from schemas.envelope import Envelope
from schemas.events import (
    AppointmentBooked,
    AppointmentReleased,
    ArrivalCounted,
    ArrivalRegistered,
    ConsentGiven,
    ConsentWithdrawn,
    EventData,
    NeedConfirmed,
    NeedWaiting,
    NeedWithdrawn,
    OfferCapacityChanged,
    OfferPublished,
    PersonCorrected,
    PersonErased,
    PersonMoved,
    ProfileRecorded,
    ReferralAccepted,
    ReferralAgreed,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralFailed,
    ReferralLapsed,
    ReferralProposed,
    ReferralRefused,
    ReferralRejected,
    ReferralReleased,
    ReferralStarted,
    ReferralStep,
    RegisterFacts,
)
from services.reporting.model import Appointment, Arrival, Count, Facts, Move, Need, Offer, Referral, Step, Wait
from services.runtime.calendar import berlin_day

E_co = TypeVar("E_co", bound=EventData, covariant=True)


@dataclass(frozen=True, slots=True)
class Told(Generic[E_co]):
    """An event, and the day in Germany on which its service wrote it."""

    data: E_co
    on: date


def told_by(envelope: Envelope, data: EventData) -> Told[EventData]:
    return Told(data, berlin_day(envelope.time))


# --- a person: told by intake -------------------------------------------------------------------------------------------


def _registered(facts: Facts, told: Told[ArrivalRegistered]) -> Facts:
    return facts.but(arrival=_arrival(told.data, told.data.district), way=told.data.way)


def _corrected(facts: Facts, told: Told[PersonCorrected]) -> Facts:
    """The facts as they are now: after a move within the county the district in them is the one moved to."""
    within = [place for place, move in enumerate(facts.moves) if move.district is not None]
    if facts.arrival is None or not within:
        return facts.but(arrival=_arrival(told.data, told.data.district))
    moves = list(facts.moves)
    moves[within[-1]] = Move(on=moves[within[-1]].on, district=told.data.district)
    return facts.but(arrival=_arrival(told.data, facts.arrival.district), moves=tuple(moves))


def _arrival(event: RegisterFacts, district: str) -> Arrival:
    return Arrival(
        district=district,
        arrived_on=event.arrived_on,
        origin=event.origin,
        in_germany_since=event.in_germany_since,
        citizenships=event.citizenships,
        birth_year=event.birth_year,
        sex=event.sex,
        residence_group=event.residence_group,
    )


def _moved(facts: Facts, told: Told[PersonMoved]) -> Facts:
    return facts.but(moves=(*facts.moves, Move(on=told.data.moved_on, district=told.data.district)))


def _booked(facts: Facts, told: Told[AppointmentBooked]) -> Facts:
    event = told.data
    place = _place(facts.appointments, event.appointment)
    booked = Appointment(id=event.appointment, on=berlin_day(event.starts_at))
    return facts.but(appointments=_with(facts.appointments, place, booked))


def _slot_released(facts: Facts, told: Told[AppointmentReleased]) -> Facts:
    return facts.but(appointments=tuple(one for one in facts.appointments if one.id != told.data.appointment))


def _withdrawn(facts: Facts, told: Told[ConsentWithdrawn]) -> Facts:
    if Purpose.TRANSFER in told.data.purposes and facts.withdrawn_on is None:
        return facts.but(withdrawn_on=told.on)
    return facts


def _erased(facts: Facts, _: Told[PersonErased]) -> Facts:
    return Facts(id=facts.id, erased=True)


# --- a person: told by profiling and referral ---------------------------------------------------------------------------


def _profiled(facts: Facts, told: Told[ProfileRecorded]) -> Facts:
    return facts.but(profiled_on=told.on) if told.data.complete and facts.profiled_on is None else facts


def _need_confirmed(facts: Facts, told: Told[NeedConfirmed]) -> Facts:
    """Confirmed again, with another kind perhaps: the first day stays."""
    event = told.data
    place = _place(facts.needs, event.need)
    first = facts.needs[place].confirmed_on if place < len(facts.needs) else told.on
    return facts.but(needs=_with(facts.needs, place, Need(id=event.need, kind=event.kind, confirmed_on=first)))


def _need_withdrawn(facts: Facts, told: Told[NeedWithdrawn]) -> Facts:
    return facts.but(needs=tuple(need for need in facts.needs if need.id != told.data.need))


def _waiting(facts: Facts, told: Told[NeedWaiting]) -> Facts:
    event = told.data
    if any(wait.need == event.need for wait in facts.waits):
        return facts
    return facts.but(waits=(*facts.waits, Wait(need=event.need, kind=event.kind, reason=event.reason, on=told.on)))


def _step(step: Step) -> Callable[[Facts, Told[ReferralStep]], Facts]:
    return lambda facts, told: _stepped(facts, told, step)


def _agreed(facts: Facts, told: Told[ReferralAgreed]) -> Facts:
    return _stepped(facts, told, Step.AGREED_IN_ADVANCE if told.data.in_advance else Step.AGREED)


def _completed(facts: Facts, told: Told[ReferralCompleted]) -> Facts:
    return _stepped(facts, told, Step.COMPLETED, told.data.outcome)


def _failed(facts: Facts, told: Told[ReferralFailed]) -> Facts:
    return _stepped(facts, told, Step.FAILED, told.data.reason)


def _stepped(facts: Facts, told: Told[ReferralStep], step: Step, came_of_it: str = "") -> Facts:
    event = told.data
    place = _place(facts.referrals, event.referral)
    taken = facts.referrals[place].steps if place < len(facts.referrals) else ()
    if any(earlier == step for earlier, _ in taken):
        return facts
    known = facts.referrals[place].came_of_it if place < len(facts.referrals) else ""
    referral = Referral(
        id=event.referral, kind=event.kind, steps=(*taken, (step, told.on)), came_of_it=str(came_of_it or known)
    )
    return facts.but(referrals=_with(facts.referrals, place, referral))


P = TypeVar("P", Appointment, Need, Referral)


def _place(parts: Sequence[P], id: str) -> int:
    """Where the part with this id stands, or the place after the last."""
    return next((place for place, part in enumerate(parts) if part.id == id), len(parts))


def _with(parts: tuple[P, ...], place: int, part: P) -> tuple[P, ...]:
    return (*parts[:place], part, *parts[place + 1 :])


# --- an anonymous count, an offer ---------------------------------------------------------------------------------------


def _counted(count: Count, told: Told[ArrivalCounted]) -> Count:
    return count.but(district=told.data.district, arrived_in=told.data.arrived_in, way=told.data.way)


def _published(offer: Offer, told: Told[OfferPublished]) -> Offer:
    return offer.but(kind=told.data.kind, district=told.data.district, published_on=told.on, seats=told.data.seats)


def _capacity_changed(offer: Offer, told: Told[OfferCapacityChanged]) -> Offer:
    return offer.but(seats=told.data.seats)


Meaning = Callable[[Any, Told[Any]], Any]
"""The facts so far, and what was told, give the next facts."""

MEANINGS: Final[Mapping[type[EventData], Meaning | None]] = {
    ArrivalRegistered: _registered,
    ArrivalCounted: _counted,
    PersonCorrected: _corrected,
    PersonMoved: _moved,
    PersonErased: _erased,
    AppointmentBooked: _booked,
    AppointmentReleased: _slot_released,
    ConsentGiven: None,  # the purposes of the first talk are not counted; the consent of the counter is in the arrival
    ConsentWithdrawn: _withdrawn,
    ProfileRecorded: _profiled,
    NeedConfirmed: _need_confirmed,
    NeedWithdrawn: _need_withdrawn,
    NeedWaiting: _waiting,
    ReferralProposed: _step(Step.PROPOSED),
    ReferralReleased: _step(Step.RELEASED),
    ReferralRejected: _step(Step.REJECTED),
    ReferralAgreed: _agreed,
    ReferralRefused: _step(Step.REFUSED),
    ReferralAccepted: _step(Step.ACCEPTED),
    ReferralDeclined: _step(Step.DECLINED),
    ReferralLapsed: _step(Step.LAPSED),
    ReferralCancelled: _step(Step.CANCELLED),
    ReferralStarted: _step(Step.STARTED),
    ReferralCompleted: _completed,
    ReferralFailed: _failed,
    OfferPublished: _published,
    OfferCapacityChanged: _capacity_changed,
}
