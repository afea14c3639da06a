"""Made-up histories: what the three services tell about a few people, in every order that could happen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from schemas.codes import (
    CancelReason,
    DeclineReason,
    FailReason,
    LapseStage,
    Origin,
    Outcome,
    Purpose,
    RejectReason,
    ResidenceGroup,
    ServiceKind,
    Sex,
    WaitReason,
    Way,
)
from schemas.events import (
    AppointmentBooked,
    AppointmentReleased,
    ArrivalRegistered,
    ConsentGiven,
    ConsentWithdrawn,
    EventData,
    GermanLevels,
    NeedConfirmed,
    NeedWaiting,
    NeedWithdrawn,
    PersonCorrected,
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
)
from tests.reporting.county import AMAL, ARTLAND, BOGDAN, BRAMSCHE, CORA, MELLE, id_of

NEW_YEAR = datetime(2016, 1, 1, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Word:
    """Something that a service tells about a person at an instant."""

    id: str
    event: EventData
    at: datetime


districts = st.sampled_from([MELLE, BRAMSCHE, ARTLAND])
kinds = st.sampled_from([ServiceKind.LOTSE, ServiceKind.INTERPRETER, ServiceKind.GERMAN_COURSE_OTHER])
days = st.dates(date(2016, 1, 1), date(2016, 6, 30))
instants = st.integers(0, 180 * 24).map(lambda hours: NEW_YEAR + timedelta(hours=hours))
ids = st.sampled_from(["one", "two", "three"]).map(id_of)

_register: dict[str, st.SearchStrategy[Any]] = {
    "district": districts,
    "arrived_on": days,
    "origin": st.sampled_from(Origin),
    "in_germany_since": st.none() | st.dates(date(2014, 1, 1), date(2016, 1, 1)),
    "citizenships": st.lists(st.sampled_from(["SY", "RO", "DE", "stateless"]), max_size=2, unique=True).map(tuple),
    "birth_year": st.none() | st.integers(1940, 2016),
    "sex": st.none() | st.sampled_from(Sex),
    "residence_group": st.none() | st.sampled_from(ResidenceGroup),
}
_referral: dict[str, st.SearchStrategy[Any]] = {"referral": ids, "need": ids, "kind": kinds}


def _event(model: type[EventData], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[EventData]:
    return st.fixed_dictionaries(fields).map(model.model_validate)


_registered = _event(ArrivalRegistered, **_register, way=st.sampled_from(Way), consents=st.just((Purpose.TRANSFER,)))
_purposes = st.sampled_from([(Purpose.TRANSFER,), (Purpose.LABOUR,)])
_told_by_intake = st.one_of(
    _event(PersonCorrected, **_register),
    _event(PersonMoved, moved_on=days, district=st.none() | districts),
    _event(AppointmentBooked, appointment=ids, site=st.just("melle"), starts_at=instants),
    _event(AppointmentReleased, appointment=ids),
    _event(ConsentGiven, purposes=_purposes),
    _event(ConsentWithdrawn, purposes=_purposes),
)
_told_by_profiling = st.one_of(
    _event(
        ProfileRecorded,
        version=st.just(1),
        complete=st.booleans(),
        german=st.just(GermanLevels()),
    ),
    _event(NeedConfirmed, need=ids, kind=kinds),
    _event(NeedWithdrawn, need=ids),
)
_told_by_referral = st.one_of(
    _event(ReferralProposed, **_referral, partner=st.just("caritas")),
    _event(ReferralReleased, **_referral),
    _event(ReferralRejected, **_referral, reason=st.sampled_from(RejectReason)),
    _event(ReferralAgreed, **_referral),
    _event(ReferralRefused, **_referral, another=st.booleans()),
    _event(ReferralAccepted, **_referral, partner=st.just("caritas"), fields=st.just(()), until=days),
    _event(ReferralDeclined, **_referral, reason=st.sampled_from(DeclineReason)),
    _event(ReferralLapsed, **_referral, stage=st.sampled_from(LapseStage)),
    _event(ReferralCancelled, **_referral, reason=st.sampled_from(CancelReason)),
    _event(ReferralStarted, **_referral),
    _event(ReferralCompleted, **_referral, outcome=st.sampled_from(Outcome)),
    _event(ReferralFailed, **_referral, reason=st.sampled_from(FailReason)),
    _event(NeedWaiting, need=ids, kind=kinds, reason=st.sampled_from(WaitReason)),
)


@st.composite
def _words_of(draw: st.DrawFn, person: str) -> list[list[Word]]:
    """What each of the three services tells about one person, each in its own order and with its own clock running on."""
    told: list[list[Word]] = []
    for first, more in ((_registered, _told_by_intake), (None, _told_by_profiling), (None, _told_by_referral)):
        events = draw(st.lists(more, max_size=6))
        events = [draw(first), *events] if first is not None else events
        times = sorted(draw(st.lists(instants, min_size=len(events), max_size=len(events))))
        told.append([Word(person, event, at) for event, at in zip(events, times, strict=True)])
    return told


@st.composite
def histories(draw: st.DrawFn) -> list[list[Word]]:
    """For two or three people, what each service tells about each: lists whose own order is given, and no other."""
    return [words for person in (AMAL, BOGDAN, CORA)[: draw(st.integers(2, 3))] for words in draw(_words_of(person))]


def interleaved(draw: st.DataObject, told: list[list[Word]]) -> list[Word]:
    """One order in which all of it may arrive: within each list as it is, between them anyhow."""
    turns = draw.draw(st.permutations([place for place, words in enumerate(told) for _ in words]))
    waiting = [iter(words) for words in told]
    return [next(waiting[place]) for place in turns]
