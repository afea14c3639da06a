"""What the talks of the made-up people bring, beside what the made-up partners offer: by the services' own rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

import pytest

from schemas.codes import Purpose, ServiceKind
from schemas.events import AccessNeedsTold, ArrivalRegistered, ProfileRecorded
from services.profiling.answers import Answers
from services.profiling.needs import derive
from services.profiling.situation import Facts
from services.referral.county import settings_of
from services.referral.eligibility import Circumstances, shut_out_by
from services.referral.evolve import case_after
from services.referral.model import Case, Need
from services.referral.offers import OfferTerms
from services.referral.seekers import seeker_of
from simulation import assumptions
from simulation.actors.partners import terms
from simulation.county import County, generate
from simulation.people import Person
from simulation.talk import answers


class Talked(NamedTuple):
    """Somebody after the first talk: the case as referral knows it, and the kinds of the needs."""

    case: Case
    kinds: tuple[ServiceKind, ...]


def talks(county: County) -> Iterator[Talked]:
    """Of all who consented and come at last."""
    for person in county.people():
        if person.consent.given and person.missed_appointments < assumptions.INVITED_AT_MOST:
            yield talked(county.seed, person)


def talked(seed: int, person: Person) -> Talked:
    written = person.register
    at = datetime.combine(person.registered_on + timedelta(days=16), time(9), UTC)
    arrival = ArrivalRegistered(
        way=person.way,
        consents=(Purpose.TRANSFER,),
        district=written.district,
        arrived_on=written.arrived_on,
        origin=written.origin,
        birth_year=written.birth_date.year if written.birth_date else None,
        sex=written.sex,
        residence_group=written.residence_group,
        languages=written.languages,
    )
    told = Answers.of(answers(seed, person))
    profile = ProfileRecorded(
        version=1,
        complete=True,
        german=told.german,
        benefit_regime=told.benefit_regime,
        available=told.available or (),
        child_care_ages=told.child_care_ages,
        literacy=told.read_and_written,
        rotating_shifts=bool(told.rotating_shifts),
        certificates=told.certificates,
        self_payer=bool(told.self_payer),
    )
    case = Case(id=str(person.index))
    for event in (arrival, profile, AccessNeedsTold(needs=told.access_needs or ())):
        case = case_after(case, event, at)
    facts = Facts.model_validate(arrival, from_attributes=True)
    return Talked(case, tuple(need.kind for need in derive(told, facts, at)))


@pytest.fixture(scope="module")
def year() -> list[Talked]:
    return list(talks(generate(people=1500)))


def test_planners_expect_about_what_the_talks_bring(year: list[Talked]) -> None:
    wanted = {kind: sum(kind in one.kinds for one in year) / len(year) for kind in ServiceKind}
    never_derived = {ServiceKind.MOTHER_TONGUE_COURSE, ServiceKind.ADAPTATION_TRAINING}  # counsellors add these
    for kind in set(ServiceKind) - never_derived:
        assert assumptions.PLANS[kind].needed == pytest.approx(wanted[kind], rel=0.25, abs=0.015), kind


@pytest.mark.parametrize(("people", "at_most"), [(60, 0.15), (1500, 0.06)])
def test_for_most_needs_there_is_an_offer_that_no_rule_shuts_them_out_of(people: int, at_most: float) -> None:
    """Whatever day it is, and whether or not a seat is free. Who comes late in the year, or for few people, finds less."""
    county = generate(people=people)
    offers: defaultdict[ServiceKind, list[OfferTerms]] = defaultdict(list)
    for offer in county.offers:
        said = {name: value for name, value in terms(offer).items() if name != "seats"}
        offers[offer.kind].append(OfferTerms.model_validate(said))
    where = Circumstances(settings_of(county.key, county.arrival_day(0)), county.arrival_day(county.size // 2))
    needs = [(one.case, kind) for one in talks(county) for kind in one.kinds]
    without = sum(not any(fits(case, kind, offer, where) for offer in offers[kind]) for case, kind in needs)
    assert len(needs) > 2 * people
    assert without / len(needs) < at_most


def fits(case: Case, kind: ServiceKind, offer: OfferTerms, where: Circumstances) -> bool:
    seeker = seeker_of(case, Need(id="need", kind=kind, urgent=False, since=datetime(2016, 1, 1, tzinfo=UTC)))
    return seeker is not None and not shut_out_by(seeker, offer, where)
