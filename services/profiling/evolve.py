"""How each fact changes a case. Facts are the events of intake and referral, profiling's own events, and the few below.

A tombstone stays a tombstone, whatever the fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schemas.codes import Purpose
from schemas.events import (
    AccessNeedsTold,
    AppointmentBooked,
    AppointmentReleased,
    ArrivalRegistered,
    ConsentGiven,
    ConsentWithdrawn,
    NeedConfirmed,
    NeedWaiting,
    NeedWithdrawn,
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
from services.profiling.model import Appointment, Case, LostSheet, Place, ProfileVersion, Sheet
from services.profiling.needs import FINISHED, Ending, Need, NeedState, Step, StepState, is_finished
from services.profiling.situation import Facts
from services.runtime.calendar import whole_milliseconds
from services.runtime.deciding import remembered


@dataclass(frozen=True, slots=True)
class SheetKept:
    """A sheet came before its case."""

    sheet: Sheet


@dataclass(frozen=True, slots=True)
class SheetsExpired:
    """The days of a sheet that waits, or of the word that one was lost, are over."""


@dataclass(frozen=True, slots=True)
class SheetsTaken:
    """The waiting sheets are being recorded."""


@dataclass(frozen=True, slots=True)
class NeedsReconciled:
    """The rules were asked again."""

    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class NeedSuggested:
    """Something was completed, and this usually follows."""

    need: Need


@dataclass(frozen=True, slots=True)
class NeedDropped:
    """The counsellor does not follow the rule."""

    need: str


@dataclass(frozen=True, slots=True)
class NeedKept:
    """The counsellor keeps a need although its rule no longer holds: from now on it is the counsellor's own."""

    need: str


@dataclass(frozen=True, slots=True)
class WorkEnded:
    """Consent or residence ended: nothing is sought any more, and no sheet waits."""


@remembered
def evolve(case: Case, fact: Any, at: datetime) -> Case:
    """The case after a fact at this instant of business time."""
    if case.erased:
        return case
    if isinstance(fact, ReferralStep | NeedWaiting):
        return case.but(steps={**case.steps, fact.need: _followed(case.steps.get(fact.need), fact, at)})
    if isinstance(fact, SheetsExpired):
        return _expired(case, at)
    return _EVOLVERS[type(fact)](case, fact)


# --- intake -------------------------------------------------------------------------------------------------------------


def _arrived(case: Case, fact: ArrivalRegistered) -> Case:
    if case.arrived:
        return case
    agreed = {*case.consents, *fact.consents} - {*case.withdrawn}
    known = case.but(arrived=True, consents=_in_order(agreed))
    if known.facts is None:
        known = known.but(facts=_facts(fact))
    return known if known.place is not None else known.but(place=_place(fact))


def _corrected(case: Case, fact: PersonCorrected) -> Case:
    known = case.but(facts=_facts(fact))
    return known if case.moved_away else known.but(place=_place(fact))


def _moved(case: Case, fact: PersonMoved) -> Case:
    if fact.district is None:
        return case.but(moved_away=True)
    return case.but(moved_away=False, place=Place(district=fact.district, municipality=fact.municipality))


def _consented(case: Case, fact: ConsentGiven) -> Case:
    return case.but(
        consents=_in_order({*case.consents, *fact.purposes}),
        withdrawn=_in_order({*case.withdrawn} - {*fact.purposes}),
    )


def _consent_withdrawn(case: Case, fact: ConsentWithdrawn) -> Case:
    return case.but(
        consents=_in_order({*case.consents} - {*fact.purposes}),
        withdrawn=_in_order({*case.withdrawn, *fact.purposes}),
    )


def _booked(case: Case, fact: AppointmentBooked) -> Case:
    talk = Appointment(
        id=fact.appointment,
        site=fact.site,
        starts_at=whole_milliseconds(fact.starts_at),
        interpreter=fact.interpreter,
    )
    return case.but(appointment=talk)


def _released(case: Case, fact: AppointmentReleased) -> Case:
    current = case.appointment is not None and case.appointment.id == fact.appointment
    return case.but(appointment=None) if current else case


# --- sheets that came before their case ---------------------------------------------------------------------------------


def _sheet_kept(case: Case, fact: SheetKept) -> Case:
    """The sheet takes the place of an earlier one: it says everything that is known now."""
    others = (sheet for sheet in case.waiting if sheet.guideline != fact.sheet.guideline)
    return case.but(waiting=(*others, fact.sheet))


def _expired(case: Case, at: datetime) -> Case:
    late = [sheet for sheet in case.waiting if sheet.until <= at]
    lost = [LostSheet(guideline=sheet.guideline, by=sheet.by, at=sheet.at, dropped_at=at) for sheet in late]
    return case.but(
        waiting=tuple(sheet for sheet in case.waiting if sheet.until > at),
        lost=(*(sheet for sheet in case.lost if sheet.until > at), *lost),
    )


# --- the profile and its needs ------------------------------------------------------------------------------------------


def _confirmed(case: Case, fact: NeedConfirmed) -> Case:
    known = case.need(fact.need)
    need = known or Need(id=fact.need, kind=fact.kind, rule=None, state=NeedState.DERIVED)  # the counsellor added it
    last = max((other.position for other in case.needs if other.position is not None), default=0)
    confirmed = need.but(state=NeedState.CONFIRMED, urgent=fact.urgent, position=need.position or last + 1)
    # Confirmed again, it is sought again; news of a referral that came before the need stays.
    steps = {id: step for id, step in case.steps.items() if id != fact.need or not step.rests}
    told = case.but(steps=steps)
    return _with(told, confirmed) if known else told.but(needs=(*case.needs, confirmed))


def _dropped(case: Case, fact: NeedDropped) -> Case:
    need = case.need(fact.need)
    return case if need is None else _with(case, need.but(state=NeedState.DROPPED))


def _kept(case: Case, fact: NeedKept) -> Case:
    need = case.need(fact.need)
    return case if need is None else _with(case, need.but(rule=None, params={}, in_doubt=False))


def _withdrawn(case: Case, fact: NeedWithdrawn) -> Case:
    need = case.need(fact.need)
    if need is None or need.state is NeedState.WITHDRAWN:
        return case
    return _with(case, need.but(state=NeedState.WITHDRAWN, ending=Ending.COUNSELLOR, in_doubt=False))


def _ended(case: Case) -> Case:
    over = {"state": NeedState.WITHDRAWN, "ending": Ending.CASE_ENDED, "in_doubt": False}
    needs = (need.but(**over) if need.id in open_needs(case) else need for need in case.needs)
    return case.but(needs=tuple(needs), waiting=())


def open_needs(case: Case) -> frozenset[str]:
    """The needs that are still to be decided upon or met."""
    wanted = (NeedState.DERIVED, NeedState.SUGGESTED, NeedState.CONFIRMED)
    return frozenset(need.id for need in case.needs if need.state in wanted and not is_finished(need, case.steps))


def _with(case: Case, need: Need) -> Case:
    return case.but(needs=tuple(need if other.id == need.id else other for other in case.needs))


# --- the plan follows the referrals -------------------------------------------------------------------------------------


def _followed(before: Step | None, fact: ReferralStep | NeedWaiting, at: datetime) -> Step:
    """The step after news of its referral. The partner stays named while it is the same referral.

    What has ended is open again only with another referral.
    """
    same = before is not None and isinstance(fact, ReferralStep) and before.referral == fact.referral
    if before is not None and before.state in FINISHED and (same or isinstance(fact, NeedWaiting)):
        return before
    if isinstance(fact, NeedWaiting):
        return Step(state=StepState.WAITING, since=at, reason=fact.reason)
    partner = before.partner if before is not None and same else None
    if isinstance(fact, ReferralProposed | ReferralAccepted):
        partner = fact.partner
    return Step(state=_reached(fact), since=at, referral=fact.referral, partner=partner, reason=_reason(fact))


def _reached(fact: ReferralStep) -> StepState:
    match fact:
        case ReferralRefused(another=another):
            return StepState.SEEKING if another else StepState.REFUSED
        case ReferralCancelled(another=False):
            return StepState.REFUSED
        case _:
            return _REACHED[type(fact)]


def _reason(fact: ReferralStep) -> str | None:
    match fact:
        case ReferralDeclined() | ReferralRejected() | ReferralCancelled() | ReferralFailed():
            return fact.reason
        case ReferralCompleted(outcome=outcome):
            return outcome
        case ReferralLapsed():
            return fact.stage
        case ReferralRefused():
            return "refused"
        case _:
            return None


_REACHED: Final[Mapping[type[ReferralStep], StepState]] = {
    ReferralProposed: StepState.PROPOSED,
    ReferralReleased: StepState.RELEASED,
    ReferralAgreed: StepState.AGREED,
    ReferralRejected: StepState.SEEKING,
    ReferralAccepted: StepState.ACCEPTED,
    ReferralDeclined: StepState.SEEKING,
    ReferralLapsed: StepState.SEEKING,
    ReferralCancelled: StepState.CANCELLED,
    ReferralStarted: StepState.STARTED,
    ReferralCompleted: StepState.COMPLETED,
    ReferralFailed: StepState.FAILED,
}


# --- which fact goes where ----------------------------------------------------------------------------------------------


def _facts(told: RegisterFacts) -> Facts:
    return Facts.model_validate(told, from_attributes=True)


def _place(told: RegisterFacts) -> Place:
    return Place(district=told.district, municipality=told.municipality)


def _in_order(purposes: Iterable[Purpose]) -> tuple[Purpose, ...]:
    named = set(purposes)
    return tuple(purpose for purpose in Purpose if purpose in named)


_EVOLVERS: Final[Mapping[type, Callable[[Case, Any], Case]]] = {
    ArrivalRegistered: _arrived,
    PersonCorrected: _corrected,
    PersonMoved: _moved,
    ConsentGiven: _consented,
    ConsentWithdrawn: _consent_withdrawn,
    PersonErased: lambda case, _: Case(id=case.id, erased=True),
    AppointmentBooked: _booked,
    AppointmentReleased: _released,
    SheetKept: _sheet_kept,
    SheetsTaken: lambda case, _: case.but(waiting=()),
    ProfileVersion: lambda case, fact: case.but(profile=fact),
    ProfileRecorded: lambda case, _: case,  # tells others of a version that the case has already
    AccessNeedsTold: lambda case, fact: case.but(access_needs_told=fact.needs),
    NeedsReconciled: lambda case, fact: case.but(needs=fact.needs),
    NeedSuggested: lambda case, fact: case.but(needs=(*case.needs, fact.need)),
    NeedConfirmed: _confirmed,
    NeedDropped: _dropped,
    NeedKept: _kept,
    NeedWithdrawn: _withdrawn,
    WorkEnded: lambda case, _: _ended(case),
}
