"""What an offer says of itself and cannot be: asked when it is published, never of what is stored already.

Each contradiction names the field to look at, and its sentence (`field.<code>` in `messages/`) says what to change. An offer that nobody at
all could take up is one; an offer that few can is none of the system's business. Ages of the kinds are the widest that practice knows: the
services themselves may be narrower, so only an offer wholly outside them is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.codes import (
    CEFR_ORDER,
    BenefitRegime,
    Cefr,
    CertificateKind,
    Literacy,
    ResidenceGroup,
    Rhythm,
    ServiceKind,
    Sex,
    Skill,
    scheme_of,
)
from schemas.places import UnknownPlace, locate
from services.referral.county import CountySettings
from services.referral.distance import distance_km
from services.referral.federal_courses import ISSUED_BY
from services.referral.offers import LAST_DAY, OfferTerms
from services.referral.particulars import (
    ChildCare,
    CounsellingSlot,
    Course,
    Lotse,
    WeeklyTime,
    dayparts_of,
    fits,
    minutes,
)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Where it is, the code of its sentence, and what fills that."""

    field: str
    code: str
    params: Mapping[str, object] = dataclasses.field(default_factory=dict[str, object])


def contradictions(terms: OfferTerms, seats: int, county: str, settings: CountySettings) -> Iterator[Contradiction]:
    """Everything that is wrong with an offer of this county and so many seats; nothing when it can be published."""
    yield from _places(terms, county, settings)
    yield from _days(terms)
    yield from _levels(terms)
    yield from _literacy(terms)
    yield from _people(terms)
    yield from _admission(terms)
    yield from _care(terms)
    yield from _times(terms)
    match terms.particulars:
        case None:
            return
        case one if not fits(one, terms.kind):
            yield Contradiction("particulars.sort", "sort-of-another-kind")
        case Course() as course:
            yield from _course(course, terms, seats)
        case Lotse() as lotse:
            yield from _lotse(lotse, seats, settings)
        case ChildCare() as care:
            yield from _child_care(care, terms)
        case CounsellingSlot() as slot:
            yield from _slot(slot, terms, seats)
        case _:
            return


def _course(course: Course, terms: OfferTerms, seats: int) -> Iterator[Contradiction]:
    if course.minimum is not None and course.minimum > seats:
        yield Contradiction("particulars.minimum", "minimum-above-seats", {"seats": seats})
    if course.care is not None and not terms.child_care:
        yield Contradiction("particulars.care", "care-ages-without-care")
    bad = [place for place, time in enumerate(course.times) if minutes(time.ends) <= minutes(time.begins)]
    yield from (Contradiction(f"particulars.times.{place}.ends", "time-ends-before-it-begins") for place in bad)
    if bad:
        return
    for place, one in enumerate(course.times):
        if any(_overlap(one, other) for other in course.times[:place]):
            yield Contradiction(f"particulars.times.{place}", "times-overlap")
    if course.times and {*terms.dayparts} != {*dayparts_of(course.times)}:
        yield Contradiction("dayparts", "dayparts-against-times")


def _overlap(one: WeeklyTime, other: WeeklyTime) -> bool:
    return one.weekday is other.weekday and one.begins < other.ends and other.begins < one.ends


def _lotse(lotse: Lotse, seats: int, settings: CountySettings) -> Iterator[Contradiction]:
    if lotse.confidentiality_signed_on is None:
        yield Contradiction("particulars.confidentiality_signed_on", "confidentiality-not-signed")
    if seats > settings.lotsen.most_cases:
        yield Contradiction("seats", "too-many-cases", {"most": settings.lotsen.most_cases})


def _child_care(care: ChildCare, terms: OfferTerms) -> Iterator[Contradiction]:
    if terms.ages is None:
        yield Contradiction("ages", "care-without-ages")
    if care.municipality is not None and not care.municipality.startswith(terms.district):
        yield Contradiction("particulars.municipality", "municipality-of-another-district")


def _slot(slot: CounsellingSlot, terms: OfferTerms, seats: int) -> Iterator[Contradiction]:
    if seats > 1:
        yield Contradiction("seats", "slot-of-one-person")
    if minutes(slot.begins) + slot.minutes >= _A_DAY:
        yield Contradiction("particulars.minutes", "slot-past-midnight")
    if terms.starts_on is None:
        yield Contradiction("starts_on", "slot-without-day")
        return
    if terms.ends_on not in (None, terms.starts_on):
        yield Contradiction("ends_on", "slot-of-one-day")
    if terms.enrol_until is not None and terms.enrol_until >= terms.starts_on:
        yield Contradiction("enrol_until", "slot-enrols-too-late")
    if terms.rhythm is not Rhythm.FIXED:
        yield Contradiction("rhythm", "slot-has-one-time")
    if {*terms.dayparts} != {*slot.dayparts_on(terms.starts_on)}:
        yield Contradiction("dayparts", "slot-has-one-time")


_A_DAY: Final = 24 * 60
"""Minutes."""


def _places(terms: OfferTerms, county: str, settings: CountySettings) -> Iterator[Contradiction]:
    if not _inside(terms.district, county):
        yield Contradiction("district", "district-of-this-county")
        return
    outside = [place for place, key in enumerate(terms.places) if not _inside(key, county)]
    if outside:
        yield Contradiction(f"places.{outside[0]}", "place-of-this-county")
    elif terms.places:
        furthest = settings.furthest_km.of(terms.kind)
        ways = [distance_km(key[:9], terms.district) for key in terms.places]
        if all(way is not None and way > furthest for way in ways):
            yield Contradiction("places", "places-out-of-reach", {"furthest": furthest})


def _inside(key: str, county: str) -> bool:
    try:
        return locate(key).district.county == county
    except UnknownPlace:
        return False


def _days(terms: OfferTerms) -> Iterator[Contradiction]:
    for name in ("starts_on", "ends_on", "enrol_until"):
        day = getattr(terms, name)
        if day is not None and day > LAST_DAY:
            yield Contradiction(name, "date-too-late")
    if terms.ends_on is not None and terms.starts_on is not None and terms.ends_on < terms.starts_on:
        yield Contradiction("ends_on", "ends-before-start")
    if terms.enrol_until is not None and terms.ends_on is not None and terms.enrol_until > terms.ends_on:
        yield Contradiction("enrol_until", "enrols-after-end")


def _levels(terms: OfferTerms) -> Iterator[Contradiction]:
    if not _rises(terms.cefr_from, terms.cefr_to):
        yield Contradiction("cefr_to", "level-not-above-start")
    seen = set[Skill]()
    for place, one in enumerate(terms.skills):
        if one.skill in seen:
            yield Contradiction(f"skills.{place}.skill", "skill-twice")
        seen.add(one.skill)
        if one.cefr_from is None and one.cefr_to is None:
            yield Contradiction(f"skills.{place}", "skill-without-level")
        elif not _rises(one.cefr_from or terms.cefr_from, one.cefr_to or terms.cefr_to):
            yield Contradiction(f"skills.{place}.cefr_to", "level-not-above-start")


def _rises(start: Cefr | None, end: Cefr | None) -> bool:
    return start is None or end is None or CEFR_ORDER[end] > CEFR_ORDER[start]


def _literacy(terms: OfferTerms) -> Iterator[Contradiction]:
    meant = _LITERACY_OF.get(terms.kind)
    if meant is not None and terms.literacy and not meant & {*terms.literacy}:
        yield Contradiction("literacy", "literacy-against-kind")
    starts = (terms.cefr_from, *(one.cefr_from for one in terms.skills))
    if meant is not None and any(level is not None and CEFR_ORDER[level] >= CEFR_ORDER[Cefr.B1] for level in starts):
        # Who reads and writes at B1 needs no letters any more; a literacy course leads to A2 or B1 (curriculum of the BAMF).
        yield Contradiction("cefr_from", "letters-at-this-level")
    unread = {*terms.literacy} == {Literacy.NOT_LITERATE}
    skilled = {Skill.READING, Skill.WRITING}
    named = [one.cefr_from for one in terms.skills if one.skill in skilled]
    if unread and any(level is not None and level is not Cefr.A0 for level in (terms.cefr_from, *named)):
        yield Contradiction("literacy", "level-without-letters")


_LITERACY_OF: Final = {
    ServiceKind.INTEGRATION_COURSE_LITERACY: {Literacy.NOT_LITERATE, Literacy.SECOND_SCRIPT},
    ServiceKind.INTEGRATION_COURSE_SECOND_SCRIPT: {Literacy.SECOND_SCRIPT},
}
"""For whom courses that teach letters are."""


def _people(terms: OfferTerms) -> Iterator[Contradiction]:
    if terms.ages is not None:
        if terms.ages[0] > terms.ages[1]:
            yield Contradiction("ages", "ages-not-in-order")
        else:
            youngest, oldest = _AGES_OF.get(terms.kind, (0, 130))
            if terms.ages[1] < youngest or terms.ages[0] > oldest:
                yield Contradiction("ages", "ages-outside-kind", {"youngest": youngest, "oldest": oldest})
    if terms.kind in _OF_PARENTS and {*terms.sexes} == {Sex.MALE}:
        yield Contradiction("sexes", "mothers-course-for-men")
    groups, regimes = {*terms.residence_groups}, {*terms.benefit_regimes}
    if groups and regimes == {BenefitRegime.ASYLBLG} and groups <= _NEVER_ASYLBLG:
        yield Contradiction("benefit_regimes", "benefit-against-residence")


_OF_PARENTS: Final = {ServiceKind.INTEGRATION_COURSE_PARENTS, ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE}
"""The courses for parents and women."""
_NEVER_ASYLBLG: Final = {
    ResidenceGroup.EU,
    ResidenceGroup.THIRD_COUNTRY_WORK,
    ResidenceGroup.THIRD_COUNTRY_FAMILY,
}
"""Groups that the Asylum Seekers Benefits Act does not know (section 1 AsylbLG)."""
_AGES_OF: Final[Mapping[ServiceKind, tuple[int, int]]] = {
    **dict.fromkeys((kind for kind in ServiceKind if scheme_of(kind) is not None), (15, 130)),
    ServiceKind.INTEGRATION_COURSE_YOUTH: (15, 27),
    ServiceKind.CHILD_LANGUAGE_SUPPORT: (2, 18),
    ServiceKind.CHILD_CARE_PLACE: (0, 14),
    ServiceKind.SCHOOL_COUNSELLING: (4, 27),
    ServiceKind.UNACCOMPANIED_MINORS: (0, 21),
    ServiceKind.YOUTH_MIGRATION_SERVICE: (10, 27),
    ServiceKind.MIGRATION_COUNSELLING: (16, 130),
    ServiceKind.JOB_PLACEMENT: (15, 70),
}
"""The widest ages of a kind, in years; of all others any."""


def _admission(terms: OfferTerms) -> Iterator[Contradiction]:
    asked, scheme = terms.admission, scheme_of(terms.kind)
    if asked is None:
        return
    if scheme is None:
        yield Contradiction("admission", "admission-of-no-federal-course")
        return
    given = {issuer for kind in asked.kinds or CertificateKind for issuer in ISSUED_BY[scheme, kind]}
    if asked.issuers and not given & {*asked.issuers}:
        yield Contradiction("admission.issuers", "issuer-of-no-such-certificate")


def _care(terms: OfferTerms) -> Iterator[Contradiction]:
    if terms.kind is ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE and not terms.child_care:
        yield Contradiction("child_care", "child-care-missing")
    if terms.child_care_ages is not None:
        if not terms.child_care:
            yield Contradiction("child_care_ages", "care-ages-without-care")
        elif terms.child_care_ages[0] > terms.child_care_ages[1]:
            yield Contradiction("child_care_ages", "ages-not-in-order")


def _times(terms: OfferTerms) -> Iterator[Contradiction]:
    if terms.rhythm is Rhythm.ALTERNATING and len({*terms.dayparts}) < 2:
        yield Contradiction("rhythm", "nothing-to-alternate")
