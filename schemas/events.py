"""The events of the four services: coded attributes and random ids, never a name or a contact.

Each class is one type in one version. `TYPE` is its CloudEvents type, `SUBJECT` the kind of thing it is about. Classes are
immutable; readers ignore fields they do not know. The JSON Schema of each (`schemas/json`) is written by ``python -m
schemas.publish`` and compared by ``make check``; an example of each stands in `schemas/examples`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.codes import (
    Accessibility,
    BenefitRegime,
    CancelReason,
    Cefr,
    CertificateIssuer,
    CertificateKind,
    ContactField,
    CourseScheme,
    Daypart,
    DeclineReason,
    FailReason,
    LapseStage,
    Literacy,
    Origin,
    Outcome,
    Purpose,
    RejectReason,
    ResidenceGroup,
    ServiceKind,
    Sex,
    Skill,
    WaitReason,
    Way,
)
from schemas.envelope import TypeName

Period = Annotated[str, Field(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])|-Q[1-4])?$")]
"""A month (`2016-03`), a quarter (`2016-Q1`) or a year (`2016`)."""
Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
District = Annotated[str, Field(pattern=r"^[0-9]{9}$", description="first nine digits of the ARS")]
Municipality = Annotated[str, Field(pattern=r"^[0-9]{12}$", description="ARS")]
Citizenship = Annotated[
    str, Field(pattern=r"^([A-Z]{2}|stateless|unclear)$", description="ISO 3166-1 alpha-2, XK for Kosovo")
]
Language = Annotated[str, Field(pattern=r"^[a-z]{3}$", description="ISO 639-3")]
Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]


class EventData(BaseModel):
    """Base of every payload."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    TYPE: ClassVar[str]
    SUBJECT: ClassVar[str] = "case"


class RegisterFacts(EventData):
    """The coded facts that consumers use: of the register, and (languages, residence group) of the person or the authority."""

    district: District
    municipality: Municipality | None = None
    arrived_on: date
    origin: Origin = Origin.UNKNOWN
    in_germany_since: date | None = None
    citizenships: tuple[Citizenship, ...] = ()
    birth_year: int | None = Field(default=None, ge=1880, le=2200)
    sex: Sex | None = None
    residence_group: ResidenceGroup | None = None
    languages: tuple[Language, ...] = ()


# --- intake ---------------------------------------------------------------------------------------------------------


class ArrivalRegistered(RegisterFacts):
    """A newcomer consented at the counter and became a case."""

    TYPE = "wegenetz.intake.arrival-registered.v1"
    way: Way
    consents: tuple[Purpose, ...]


class ArrivalCounted(EventData):
    """A newcomer refused the consent: the one anonymous count, with nothing that leads back to a person. `way` says who had asked."""

    TYPE = "wegenetz.intake.arrival-counted.v1"
    SUBJECT = "count"
    district: District
    arrived_in: Month
    way: Way


class AppointmentBooked(EventData):
    """A slot for the first talk is this person's alone."""

    TYPE = "wegenetz.intake.appointment-booked.v1"
    appointment: Uuid
    site: Code
    starts_at: AwareDatetime
    interpreter: Language | None = None


class AppointmentReleased(EventData):
    """The slot is free again: the person moved, withdrew or was erased, or asked for another."""

    TYPE = "wegenetz.intake.appointment-released.v1"
    appointment: Uuid


class PersonCorrected(RegisterFacts):
    """The register or the person corrected something: the full facts as they are now."""

    TYPE = "wegenetz.intake.person-corrected.v1"


class PersonMoved(EventData):
    """A move within the county, or out of it (`district` is null)."""

    TYPE = "wegenetz.intake.person-moved.v1"
    moved_on: date
    district: District | None
    municipality: Municipality | None = None


class ConsentGiven(EventData):
    """The person agreed, in the first talk or later: from now on steps may rest on these purposes."""

    TYPE = "wegenetz.intake.consent-given.v1"
    purposes: tuple[Purpose, ...] = Field(min_length=1)


class ConsentWithdrawn(EventData):
    """From now on no step that rests on these purposes. `transfer` ends the case's way."""

    TYPE = "wegenetz.intake.consent-withdrawn.v1"
    purposes: tuple[Purpose, ...] = Field(min_length=1)


class PersonErased(EventData):
    """Everything about the person is to be forgotten; a tombstone keeps repeats out."""

    TYPE = "wegenetz.intake.person-erased.v1"


# --- profiling ------------------------------------------------------------------------------------------------------


class GermanLevels(BaseModel):
    """CEFR level for each skill; null where not asked yet."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    listening: Cefr | None = None
    reading: Cefr | None = None
    speaking: Cefr | None = None
    writing: Cefr | None = None


class Certificate(BaseModel):
    """What admits somebody to a federal course. From the day after `valid_until` on it is none any more."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    scheme: CourseScheme
    kind: CertificateKind
    issuer: CertificateIssuer
    valid_until: date | None = None
    fee_exempt: bool = False


class ProfileRecorded(EventData):
    """A version of the profile, with the attributes that eligibility needs. `certificates` is null where nobody asked."""

    TYPE = "wegenetz.profiling.profile-recorded.v1"
    version: int = Field(ge=1)
    complete: bool
    german: GermanLevels
    benefit_regime: BenefitRegime | None = None
    available: tuple[Daypart, ...] = ()
    child_care_ages: tuple[int, ...] = ()
    literacy: Literacy | None = None
    rotating_shifts: bool = False
    certificates: tuple[Certificate, ...] | None = None
    self_payer: bool = False


class AccessNeedsTold(EventData):
    """What the person needs to take part, with their consent to pass it on; empty when they need nothing, or consent no more."""

    TYPE = "wegenetz.profiling.access-needs-told.v1"
    needs: tuple[Accessibility, ...] = ()


class NeedConfirmed(EventData):
    """The counsellor confirmed a need, for the first time or after the search for it had come to an end: a place is to be sought."""

    TYPE = "wegenetz.profiling.need-confirmed.v1"
    need: Uuid
    kind: ServiceKind
    urgent: bool = False


class NeedWithdrawn(EventData):
    """The need is no longer there, or was a mistake: nothing more is sought for it."""

    TYPE = "wegenetz.profiling.need-withdrawn.v1"
    need: Uuid


# --- referral -------------------------------------------------------------------------------------------------------


class OfferPublished(EventData):
    """A partner offers a dated course, or a standing service (`starts_on` is null), with this many seats."""

    TYPE = "wegenetz.referral.offer-published.v1"
    SUBJECT = "offer"
    partner: Code
    kind: ServiceKind
    district: District
    seats: int = Field(ge=0)
    starts_on: date | None = None


class OfferCapacityChanged(EventData):
    """The partner changed the number of seats; `seats` is the new total."""

    TYPE = "wegenetz.referral.offer-capacity-changed.v1"
    SUBJECT = "offer"
    seats: int = Field(ge=0)


class ReferralStep(EventData):
    """Common to the steps of a referral."""

    referral: Uuid
    need: Uuid
    kind: ServiceKind


class ReferralProposed(ReferralStep):
    """A seat of this partner is held for this need; the counsellor is to release it. `by_hand`: a counsellor chose it, not matching."""

    TYPE = "wegenetz.referral.referral-proposed.v1"
    partner: Code
    by_hand: bool = False


class ReferralReleased(ReferralStep):
    """The counsellor released it; the person is asked."""

    TYPE = "wegenetz.referral.referral-released.v1"


class ReferralAgreed(ReferralStep):
    """The person agreed to partner, place and time; the partner is asked. `in_advance`: it lies within what they had agreed to before, and
    they were not asked again."""

    TYPE = "wegenetz.referral.referral-agreed.v1"
    in_advance: bool = False


class ReferralRejected(ReferralStep):
    """The counsellor did not release the proposal, with a reason; the seat is free and the next best is tried."""

    TYPE = "wegenetz.referral.referral-rejected.v1"
    reason: RejectReason


class ReferralRefused(ReferralStep):
    """The person refused: a normal outcome without penalty. Without `another` nothing more is sought until the need is confirmed again."""

    TYPE = "wegenetz.referral.referral-refused.v1"
    another: bool = True


class ReferralAccepted(ReferralStep):
    """The partner accepted: the seat is taken, and the partner may read `fields` until `until`."""

    TYPE = "wegenetz.referral.referral-accepted.v1"
    partner: Code
    fields: tuple[ContactField, ...]
    until: date


class ReferralDeclined(ReferralStep):
    """The partner declined with a reason; the seat is free and the next best is tried."""

    TYPE = "wegenetz.referral.referral-declined.v1"
    reason: DeclineReason


class ReferralLapsed(ReferralStep):
    """A deadline passed without an answer; the seat is free and the next best is tried."""

    TYPE = "wegenetz.referral.referral-lapsed.v1"
    stage: LapseStage


class ReferralCancelled(ReferralStep):
    """What it rested on is no longer there, or somebody called it off. A read grant ends with it. Without `another` the person wants
    nothing of this kind until the need is confirmed again."""

    TYPE = "wegenetz.referral.referral-cancelled.v1"
    reason: CancelReason
    another: bool = True


class ReferralStarted(ReferralStep):
    """The course or service began for this person; told once."""

    TYPE = "wegenetz.referral.referral-started.v1"


class ReferralCompleted(ReferralStep):
    """The course or service was gone through to its end, and this was reached; the partner's read grant ends with it. `skills` are those
    in which a level was certified; empty: the certificate is of the whole level."""

    TYPE = "wegenetz.referral.referral-completed.v1"
    outcome: Outcome
    skills: tuple[Skill, ...] = ()


class ReferralFailed(ReferralStep):
    """It ended early for this person, who had been accepted; the partner's read grant ends with it."""

    TYPE = "wegenetz.referral.referral-failed.v1"
    reason: FailReason


class NeedWaiting(EventData):
    """No seat for this need now; it stays in every round until there is one."""

    TYPE = "wegenetz.referral.need-waiting.v1"
    need: Uuid
    kind: ServiceKind
    reason: WaitReason


# --- reporting ------------------------------------------------------------------------------------------------------


class ReleasePublished(EventData):
    """A set of perturbed counts is readable under its own immutable URL."""

    TYPE = "wegenetz.reporting.release-published.v1"
    SUBJECT = "release"
    period: Period
    vintage: Code


CATALOGUE: Final[dict[str, type[EventData]]] = {
    event.TYPE: event
    for event in (
        ArrivalRegistered,
        ArrivalCounted,
        AppointmentBooked,
        AppointmentReleased,
        PersonCorrected,
        PersonMoved,
        ConsentGiven,
        ConsentWithdrawn,
        PersonErased,
        ProfileRecorded,
        AccessNeedsTold,
        NeedConfirmed,
        NeedWithdrawn,
        OfferPublished,
        OfferCapacityChanged,
        ReferralProposed,
        ReferralReleased,
        ReferralRejected,
        ReferralAgreed,
        ReferralRefused,
        ReferralAccepted,
        ReferralDeclined,
        ReferralLapsed,
        ReferralCancelled,
        ReferralStarted,
        ReferralCompleted,
        ReferralFailed,
        NeedWaiting,
        ReleasePublished,
    )
}
"""Every event type that this version knows, by its CloudEvents type."""


def source_of(event: type[EventData]) -> str:
    """The service that owns this type."""
    return TypeName.parse(event.TYPE).source
