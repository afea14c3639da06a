"""What the events of intake and profiling mean here.

Every one of them may say something that the search has to follow: a need to be met, a fact that makes somebody eligible or not, a consent.
Referrals that can no longer stand are cancelled in the same transaction and their seats are free at once; whatever need is left waits.

An accepted referral ends by what ends the person's way (consent, move out of the county, erasure), not by a fact that would only have
mattered before: the partner has taken the person. Events of one source come in order; across sources nothing is taken for granted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from schemas.codes import CancelReason, Purpose
from schemas.envelope import Envelope, Subject
from schemas.events import (
    AccessNeedsTold,
    ConsentWithdrawn,
    NeedConfirmed,
    NeedWithdrawn,
    PersonCorrected,
    PersonErased,
    PersonMoved,
    ProfileRecorded,
)
from services.referral.care import held_by
from services.referral.county import settings_of
from services.referral.effects import Locate, Unlocate
from services.referral.eligibility import Circumstances, shut_out_by
from services.referral.evolve import case_after
from services.referral.facts import NeedKnown
from services.referral.model import Case, Need
from services.referral.offers import Offer
from services.referral.referrals import TAKEN, Referral
from services.referral.seekers import seeker_of
from services.referral.steps import Fact, cancel, leave
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Decision, Forget, States

MAY_CANCEL: Final = (
    ConsentWithdrawn,
    PersonErased,
    PersonMoved,
    PersonCorrected,
    ProfileRecorded,
    AccessNeedsTold,
    NeedWithdrawn,
)
"""Events after which a referral may no longer stand: what they mean depends on the offers of the case too."""


def offers_of(case: Case) -> Iterator[Subject]:
    """The offers on which a case holds a seat."""
    for need in case.needs:
        if need.live is not None:
            yield from held_by(need.live)


def hear(envelope: Envelope, data: BaseModel, states: States, now: datetime) -> Decision:
    """What follows from an event. An erased case hears nothing any more."""
    case = states.get(Case, envelope.subject.id)
    if case.erased:
        return Decision()
    match data:
        case PersonErased():
            return _erase(case, data)
        case NeedConfirmed():
            known = NeedKnown(data.need, data.kind, data.urgent, envelope.time)
            located = [] if case.need(data.need) else [Locate(data.need, case.id)]
            return Decision([(case.subject, known)], effects=located)
        case NeedWithdrawn():
            return Decision(list(_withdraw(case, data)))
        case _:
            where = Circumstances(settings_of(envelope.county, berlin_day(now)), berlin_day(now))
            return Decision(list(_follow(case, data, states, where, now)))


def _erase(case: Case, data: PersonErased) -> Decision:
    """Seats are free, ids lead nowhere. Whoever reads referrals hears of the erasure from intake, as referral does."""
    facts: list[Fact] = []
    for need in case.needs:
        if need.live is not None:
            facts += leave(case, need, need.live)
    facts.append((case.subject, data))
    return Decision(facts, effects=[Forget(case.subject), Unlocate(tuple(_ids_of(case)))])


def _ids_of(case: Case) -> Iterator[str]:
    for need in case.needs:
        yield need.id
        for referral in (need.live, *need.past):
            if referral is not None:
                yield referral.id


def _withdraw(case: Case, data: NeedWithdrawn) -> Iterator[Fact]:
    """Nothing more is sought. Whoever was accepted stays where they are: that somebody no longer needs a course may be its success."""
    need = case.need(data.need)
    if need is None:
        return
    yield case.subject, data
    if need.live is not None and need.live.state not in TAKEN:
        yield from cancel(case, need, need.live, CancelReason.NEED_WITHDRAWN)


def _follow(case: Case, data: BaseModel, states: States, where: Circumstances, now: datetime) -> Iterator[Fact]:
    """The person is somebody else now, so to speak: does each referral still stand?"""
    yield case.subject, data
    case = case_after(case, data, now)
    for need in case.needs:
        if need.live is not None:
            reason = _why_not(case, need, need.live, data, states, where)
            if reason is not None:
                yield from cancel(case, need, need.live, reason)


def _why_not(
    case: Case, need: Need, referral: Referral, data: BaseModel, states: States, where: Circumstances
) -> CancelReason | None:
    if Purpose.TRANSFER not in case.consents or not case.consents_to(need):
        return CancelReason.CONSENT_WITHDRAWN
    if case.moved_away:
        return CancelReason.PERSON_MOVED
    if referral.state in TAKEN or not isinstance(data, MAY_CANCEL):
        return None
    seeker, terms = seeker_of(case, need), states.get(Offer, referral.offer).terms
    if seeker is None or terms is None or not shut_out_by(seeker, terms, where):
        return None
    return CancelReason.PERSON_MOVED if isinstance(data, PersonMoved) else CancelReason.PERSON_CORRECTED
