"""Closed code lists: the only words that events use for what can be counted or matched.

Codes are stable and lower-case; labels for people (German, English) stand in `schemas/labels.yaml`. Lists with official
owners (districts, countries, languages, Destatis citizenship keys) are in `schemas.places`, `schemas.countries` and
`schemas.languages`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Who may call a route (design: rights). One token carries one role."""

    CLERK = "clerk"
    AUTHORITY_CLERK = "authority-clerk"
    COUNSELLOR = "counsellor"
    SOCIAL_WORKER = "social-worker"
    PARTNER = "partner"
    COORDINATOR = "coordinator"
    REPORTER = "reporter"
    DATA_PROTECTION_OFFICER = "data-protection-officer"
    OPERATOR = "operator"
    SERVICE = "service"


class Sex(StrEnum):
    """As entered in the register (PStG section 22 (3)): `none` is an entry without a sex, not a missing one."""

    FEMALE = "female"
    MALE = "male"
    DIVERS = "divers"
    NONE = "none"


class ResidenceGroup(StrEnum):
    """Residence group ([000] indicator 7); told by the foreigners authority or the person, not by the registry office."""

    EU = "eu"
    THIRD_COUNTRY_WORK = "third-country-work"
    THIRD_COUNTRY_FAMILY = "third-country-family"
    REFUGEE = "refugee"
    OTHER = "other"


class Origin(StrEnum):
    """Where the previous residence was ([000] indicator 5.1)."""

    ABROAD = "abroad"
    GERMANY = "germany"
    UNKNOWN = "unknown"


class Way(StrEnum):
    """The four ways in ([000] 3.3.2)."""

    OFFICE_FORM = "office-form"
    OFFICE_API = "office-api"
    OFFICE_FILE = "office-file"
    CENTRE = "centre"


class Purpose(StrEnum):
    """What a consent is for. Only `transfer` is asked at the counter, all others in the first talk."""

    TRANSFER = "transfer"
    LANGUAGE_COURSES = "language-courses"
    LABOUR = "labour"
    ADVICE = "advice"
    FAMILY = "family"
    VOLUNTEERS = "volunteers"
    INTERPRETERS = "interpreters"
    ACCESSIBILITY = "accessibility"
    """What the person needs to take part: a statement about health (GDPR Art. 9), which goes nowhere without this consent."""
    PARTNER_FEEDBACK = "partner-feedback"
    FOLLOW_UP = "follow-up"


class Cefr(StrEnum):
    """Level of German by the Common European Framework; `a0` is none yet. Ordered by `schemas.codes.CEFR_ORDER`."""

    A0 = "a0"
    A1 = "a1"
    A2 = "a2"
    B1 = "b1"
    B2 = "b2"
    C1 = "c1"
    C2 = "c2"


CEFR_ORDER: Final[dict[Cefr, int]] = {level: rank for rank, level in enumerate(Cefr)}


class Skill(StrEnum):
    """The four skills for each of which the Common European Framework has levels."""

    LISTENING = "listening"
    READING = "reading"
    SPEAKING = "speaking"
    WRITING = "writing"


class Literacy(StrEnum):
    """Reading and writing in any language; `second-script` is literate, but not in Latin script."""

    NOT_LITERATE = "not-literate"
    SECOND_SCRIPT = "second-script"
    LITERATE = "literate"


class BenefitRegime(StrEnum):
    """Which law the person's benefits rest on; it decides who places the person in work."""

    NONE = "none"
    ASYLBLG = "asylblg"
    SGB_II = "sgb-ii"
    SGB_III = "sgb-iii"


class Daypart(StrEnum):
    """When somebody has time, or when something takes place."""

    WEEKDAY_MORNING = "weekday-morning"
    WEEKDAY_AFTERNOON = "weekday-afternoon"
    WEEKDAY_EVENING = "weekday-evening"
    WEEKEND = "weekend"


class Weekday(StrEnum):
    """The days of the week (ISO 8601)."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class LotseTopic(StrEnum):
    """What volunteer guides accompany people to."""

    AUTHORITIES = "authorities"
    HEALTH = "health"
    SCHOOL_AND_CHILD_CARE = "school-and-child-care"
    WORK = "work"
    HOUSING = "housing"
    LANGUAGE = "language"
    LEISURE = "leisure"


class MeetingWay(StrEnum):
    """Where an interpreter or a counsellor meets somebody."""

    ON_SITE = "on-site"
    VIDEO = "video"


class Rhythm(StrEnum):
    """How the times of an offer repeat: the same each week; in turn (early and late, for whoever works shifts); or as is agreed."""

    FIXED = "fixed"
    ALTERNATING = "alternating"
    FLEXIBLE = "flexible"


class Accessibility(StrEnum):
    """What somebody needs to be able to take part, and what a place has."""

    STEP_FREE = "step-free"
    ACCESSIBLE_TOILET = "accessible-toilet"
    HEARING_LOOP = "hearing-loop"
    SIGN_LANGUAGE = "sign-language"
    LARGE_PRINT = "large-print"
    EASY_LANGUAGE = "easy-language"


class CourseScheme(StrEnum):
    """The federal courses that admit by certificate: integration courses (IntV) and vocational German (DeuFöV)."""

    INTEGRATION_COURSE = "integration-course"
    VOCATIONAL_GERMAN = "vocational-german-course"


class CertificateKind(StrEnum):
    """On what ground somebody may take part: entitled (section 44 AufenthG), obliged (section 44a), admitted (section 44 (4))."""

    ENTITLED = "entitled"
    OBLIGED = "obliged"
    ADMITTED = "admitted"


class CertificateIssuer(StrEnum):
    """Who gives certificates for federal courses (sections 5 to 7 IntV, sections 4 and 5 DeuFöV)."""

    BAMF = "bamf"
    FOREIGNERS_AUTHORITY = "foreigners-authority"
    FEDERAL_OFFICE_OF_ADMINISTRATION = "federal-office-of-administration"
    JOBCENTER = "jobcenter"
    EMPLOYMENT_AGENCY = "employment-agency"
    BENEFITS_AUTHORITY = "benefits-authority"


class ServiceKind(StrEnum):
    """Kinds of need and of offer: the services that the county documents name."""

    INTEGRATION_COURSE_GENERAL = "integration-course-general"
    INTEGRATION_COURSE_LITERACY = "integration-course-literacy"
    INTEGRATION_COURSE_PARENTS = "integration-course-parents"
    INTEGRATION_COURSE_YOUTH = "integration-course-youth"
    INTEGRATION_COURSE_SECOND_SCRIPT = "integration-course-second-script"
    GERMAN_COURSE_OTHER = "german-course-other"
    VOCATIONAL_GERMAN = "vocational-german"
    PARENTS_COURSE_WITH_CHILD_CARE = "parents-course-with-child-care"
    MOTHER_TONGUE_COURSE = "mother-tongue-course"
    CHILD_LANGUAGE_SUPPORT = "child-language-support"
    CHILD_CARE_PLACE = "child-care-place"
    SCHOOL_COUNSELLING = "school-counselling"
    INTERNSHIP_AND_TRAINING = "internship-and-training"
    RECOGNITION_COUNSELLING = "recognition-counselling"
    ADAPTATION_TRAINING = "adaptation-training"
    COMPETENCE_ASSESSMENT = "competence-assessment"
    FURTHER_TRAINING_ADVICE = "further-training-advice"
    JOB_PLACEMENT = "job-placement"
    SKILLED_WORKER_OFFICE = "skilled-worker-office"
    CHARITABLE_WORK = "charitable-work"
    MIGRATION_COUNSELLING = "migration-counselling"
    YOUTH_MIGRATION_SERVICE = "youth-migration-service"
    UNACCOMPANIED_MINORS = "unaccompanied-minors"
    LOTSE = "lotse"
    INTERPRETER = "interpreter"
    FAMILY_CENTRE = "family-centre"
    HOME_VISIT = "home-visit"
    PSYCHOSOCIAL_CARE = "psychosocial-care"
    HEALTH_NAVIGATION = "health-navigation"
    HOUSING = "housing"
    ASSOCIATIONS_AND_VOLUNTEERING = "associations-and-volunteering"
    NATURALISATION_ADVICE = "naturalisation-advice"


LANGUAGE_COURSES: Final = {
    ServiceKind.INTEGRATION_COURSE_GENERAL,
    ServiceKind.INTEGRATION_COURSE_LITERACY,
    ServiceKind.INTEGRATION_COURSE_PARENTS,
    ServiceKind.INTEGRATION_COURSE_YOUTH,
    ServiceKind.INTEGRATION_COURSE_SECOND_SCRIPT,
    ServiceKind.GERMAN_COURSE_OTHER,
    ServiceKind.VOCATIONAL_GERMAN,
    ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE,
    ServiceKind.MOTHER_TONGUE_COURSE,
}
"""Courses in which a language is learned."""

_LABOUR: Final = {
    ServiceKind.INTERNSHIP_AND_TRAINING,
    ServiceKind.RECOGNITION_COUNSELLING,
    ServiceKind.ADAPTATION_TRAINING,
    ServiceKind.COMPETENCE_ASSESSMENT,
    ServiceKind.FURTHER_TRAINING_ADVICE,
    ServiceKind.JOB_PLACEMENT,
    ServiceKind.SKILLED_WORKER_OFFICE,
    ServiceKind.CHARITABLE_WORK,
}
_FAMILY: Final = {
    ServiceKind.CHILD_LANGUAGE_SUPPORT,
    ServiceKind.CHILD_CARE_PLACE,
    ServiceKind.SCHOOL_COUNSELLING,
    ServiceKind.FAMILY_CENTRE,
    ServiceKind.HOME_VISIT,
    ServiceKind.UNACCOMPANIED_MINORS,
}


_SCHEMES: Final = {
    ServiceKind.INTEGRATION_COURSE_GENERAL: CourseScheme.INTEGRATION_COURSE,
    ServiceKind.INTEGRATION_COURSE_LITERACY: CourseScheme.INTEGRATION_COURSE,
    ServiceKind.INTEGRATION_COURSE_PARENTS: CourseScheme.INTEGRATION_COURSE,
    ServiceKind.INTEGRATION_COURSE_YOUTH: CourseScheme.INTEGRATION_COURSE,
    ServiceKind.INTEGRATION_COURSE_SECOND_SCRIPT: CourseScheme.INTEGRATION_COURSE,
    ServiceKind.VOCATIONAL_GERMAN: CourseScheme.VOCATIONAL_GERMAN,
}


def scheme_of(kind: ServiceKind) -> CourseScheme | None:
    """The scheme of the federal courses of this kind; None for what is no federal course."""
    return _SCHEMES.get(kind)


def purpose_of(kind: ServiceKind) -> Purpose:
    """The consent under which a person's data may go to a partner of this kind."""
    if kind in LANGUAGE_COURSES:
        return Purpose.LANGUAGE_COURSES
    if kind in _LABOUR:
        return Purpose.LABOUR
    if kind in _FAMILY:
        return Purpose.FAMILY
    if kind is ServiceKind.INTERPRETER:
        return Purpose.INTERPRETERS
    if kind in (ServiceKind.LOTSE, ServiceKind.ASSOCIATIONS_AND_VOLUNTEERING):
        return Purpose.VOLUNTEERS
    return Purpose.ADVICE


class RejectReason(StrEnum):
    """Why the counsellor does not release a proposal."""

    OFFER_UNSUITABLE = "offer-unsuitable"
    TIME_UNSUITABLE = "time-unsuitable"
    PLACE_UNSUITABLE = "place-unsuitable"
    PERSON_NOT_READY = "person-not-ready"
    """Nothing is wrong with the offer; for the person it is too early."""


class DeclineReason(StrEnum):
    """Why a partner declines before it begins. Like all reasons for an end, each belongs to a group (`schemas.ends.group_of`)."""

    PROVIDER_FULL = "provider-full"
    PROVIDER_CANCELLED = "provider-cancelled"
    PERSON_NOT_ELIGIBLE = "person-not-eligible"
    PERSON_NOT_REACHED = "person-not-reached"
    LOGISTICS_TIME = "logistics-time"
    LOGISTICS_DISTANCE = "logistics-distance"
    LOGISTICS_CHILD_CARE = "logistics-child-care"
    LOGISTICS_LANGUAGE = "logistics-language"


class FailReason(StrEnum):
    """Why somebody who was accepted did not get to the end."""

    PROVIDER_CANCELLED = "provider-cancelled"
    PROVIDER_EXCLUDED = "provider-excluded"
    PERSON_NOT_REACHED = "person-not-reached"
    """Never came, or came no more, and nobody knows why."""
    PERSON_STOPPED = "person-stopped"
    PERSON_TOOK_WORK = "person-took-work"
    PERSON_ILL = "person-ill"
    LOGISTICS_TIME = "logistics-time"
    LOGISTICS_DISTANCE = "logistics-distance"
    LOGISTICS_CHILD_CARE = "logistics-child-care"


class CancelReason(StrEnum):
    """Why an open referral ended without anybody having failed: what it rested on is gone (the first eight), or somebody called it off."""

    CONSENT_WITHDRAWN = "consent-withdrawn"
    PERSON_MOVED = "person-moved"
    PERSON_CORRECTED = "person-corrected"
    NEED_WITHDRAWN = "need-withdrawn"
    OFFER_CLOSED = "offer-closed"
    ANOTHER_CHOSEN = "another-chosen"
    """The counsellor chose another offer by hand before this one was released."""
    SEAT_LOST = "seat-lost"
    """The partner has fewer seats than were held, and this one was among those that are gone."""
    COURSE_CANCELLED = "course-cancelled"
    """The county decided that a course with too few participants does not take place."""
    PROVIDER_CANCELLED = "provider-cancelled"
    PERSON_WISH = "person-wish"
    PERSON_NOT_REACHED = "person-not-reached"
    LOGISTICS_TIME = "logistics-time"
    LOGISTICS_DISTANCE = "logistics-distance"
    LOGISTICS_CHILD_CARE = "logistics-child-care"


class ReasonGroup(StrEnum):
    """In whom or what a reason lies."""

    PROVIDER = "provider"
    PERSON = "person"
    LOGISTICS = "logistics"


class AgreementScope(StrEnum):
    """What a person's agreement covers beside the one place that they were asked about."""

    ASK_AGAIN = "ask-again"
    SAME_PARTNER = "same-partner"
    SAME_KIND = "same-kind"


class WaitReason(StrEnum):
    """Why a need waits."""

    NO_OFFER_OF_THIS_KIND = "no-offer-of-this-kind"
    NOT_ELIGIBLE = "not-eligible"
    NO_FREE_SEAT = "no-free-seat"
    ALL_TRIED = "all-tried"
    """Every offer that fits was proposed before and came to nothing."""
    KEPT_FOR_LATER = "kept-for-later"
    """A seat that fits is free, but worth more to those who are still to come; for some days at most."""
    HELD_ALREADY = "held-already"
    """The person has a place of this kind for another need."""
    CONSENT_MISSING = "consent-missing"


class LapseStage(StrEnum):
    """Whose answer did not come in time."""

    RELEASE = "release"
    AGREEMENT = "agreement"
    ANSWER = "answer"


class Outcome(StrEnum):
    """What was reached when a course or service was gone through to its end. Which of these a kind may have says `schemas.ends`."""

    LEVEL_A1 = "level-a1"
    LEVEL_A2 = "level-a2"
    LEVEL_B1 = "level-b1"
    LEVEL_B2 = "level-b2"
    LEVEL_C1 = "level-c1"
    ATTENDED = "attended"
    """Taken part to the end, and no certificate of a level."""
    ADVICE_GIVEN = "advice-given"
    SUPPORT_GIVEN = "support-given"
    PASSED_ON = "passed-on"
    """Brought to whoever is responsible."""
    APPLIED = "applied"
    """What the advice was about has been applied for."""
    FULLY_RECOGNISED = "fully-recognised"
    PARTLY_RECOGNISED = "partly-recognised"
    NOT_RECOGNISED = "not-recognised"
    COMPETENCES_ASSESSED = "competences-assessed"
    WORK_FOUND = "work-found"
    TRAINING_FOUND = "training-found"
    PLACE_FOUND = "place-found"
    """At a school, in child care, a home, in an association."""


class TaskStatus(StrEnum):
    """Where a referral stands for everybody who exchanges referrals: the codes of HL7 FHIR (R4 and R5, code system `task-status`)."""

    DRAFT = "draft"
    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BusinessStatus(StrEnum):
    """Where a referral stands within its task status, in this domain's words. No code of `TaskStatus` is repeated here."""

    HELD_FOR_RELEASE = "held-for-release"
    OFFERED_TO_PERSON = "offered-to-person"
    OFFERED_TO_PARTNER = "offered-to-partner"
    OPENED_BY_PARTNER = "opened-by-partner"
    WAITING_FOR_START = "waiting-for-start"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    UNATTENDED = "unattended"
    PAUSED = "paused"
    NOT_RELEASED = "not-released"
    REFUSED_BY_PERSON = "refused-by-person"
    DECLINED_BY_PARTNER = "declined-by-partner"
    EXPIRED = "expired"
    CALLED_OFF = "called-off"
    ENDED_EARLY = "ended-early"
    OUTCOME_REACHED = "outcome-reached"


class ContactField(StrEnum):
    """Fields of a person that an agreement with a partner may name."""

    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    BIRTH_DATE = "birth-date"
    LANGUAGES = "languages"
