"""How a case changes: one function for what happened, and none that knows why."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatch

from schemas.codes import Purpose
from schemas.events import (
    AppointmentBooked,
    AppointmentReleased,
    ArrivalRegistered,
    ConsentGiven,
    ConsentWithdrawn,
    PersonCorrected,
    PersonErased,
    PersonMoved,
)
from services.intake.facts import ConsentRecorded, Corrected, Granted, GrantEnded, MovedWithin, Registered
from services.intake.model import Appointment, Case, Consent
from services.runtime.calendar import berlin_day


@singledispatch
def after(fact: object, case: Case, at: datetime) -> Case:  # noqa: ARG001 - the signature of all that follow
    """The case after a fact. Raises TypeError for one that has no meaning for a case."""
    raise TypeError(type(fact).__name__)


@after.register
def _(fact: Registered, case: Case, at: datetime) -> Case:  # noqa: ARG001
    return case.but(
        way=fact.way,
        office=fact.office,
        registered_on=fact.on,
        register_facts=fact.register_facts,
        statements=fact.statements,
        consents={Purpose.TRANSFER: fact.consent},
    )


@after.register(ArrivalRegistered)
@after.register(PersonCorrected)
@after.register(ConsentGiven)
def _(fact: object, case: Case, at: datetime) -> Case:  # noqa: ARG001
    """Told to others what a fact of our own has changed already."""
    return case


@after.register
def _(fact: Corrected, case: Case, at: datetime) -> Case:  # noqa: ARG001
    return case.but(register_facts=fact.register_facts, statements=fact.statements)


@after.register
def _(fact: AppointmentBooked, case: Case, at: datetime) -> Case:  # noqa: ARG001
    booked = Appointment(id=fact.appointment, site=fact.site, starts_at=fact.starts_at, interpreter=fact.interpreter)
    return case.but(appointments=(*case.appointments, booked), booked=case.booked + 1)


@after.register
def _(fact: AppointmentReleased, case: Case, at: datetime) -> Case:  # noqa: ARG001
    return case.but(appointments=tuple(one for one in case.appointments if one.id != fact.appointment))


@after.register
def _(fact: MovedWithin, case: Case, at: datetime) -> Case:  # noqa: ARG001
    if case.register_facts is None:
        return case
    residence = {"district": fact.district, "municipality": fact.municipality}
    return case.but(register_facts=case.register_facts.with_changes(residence, fact.told_by))


@after.register
def _(fact: PersonMoved, case: Case, at: datetime) -> Case:  # noqa: ARG001
    return case.but(moved_out_on=fact.moved_on) if fact.district is None else case


@after.register
def _(fact: ConsentRecorded, case: Case, at: datetime) -> Case:  # noqa: ARG001
    return case.but(consents={**case.consents, **dict.fromkeys(fact.purposes, fact.consent)})


@after.register
def _(fact: ConsentWithdrawn, case: Case, at: datetime) -> Case:
    day = berlin_day(at)
    withdrawn: dict[Purpose, Consent] = {
        purpose: consent.model_copy(update={"withdrawn_on": day})
        for purpose, consent in case.consents.items()
        if purpose in fact.purposes and consent.is_current
    }
    return case.but(consents={**case.consents, **withdrawn})


@after.register
def _(fact: Granted, case: Case, at: datetime) -> Case:  # noqa: ARG001
    return case.but(grants={**case.grants, fact.referral: fact.grant})


@after.register
def _(fact: GrantEnded, case: Case, at: datetime) -> Case:  # noqa: ARG001
    return case.but(grants={referral: grant for referral, grant in case.grants.items() if referral != fact.referral})


@after.register
def _(fact: PersonErased, case: Case, at: datetime) -> Case:  # noqa: ARG001
    """The tombstone: it keeps out whatever still comes about this person."""
    return Case(id=case.id, erased=True)
