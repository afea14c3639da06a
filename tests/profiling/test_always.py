"""What must hold for every profile and every order of events, tried on many of them."""

from __future__ import annotations

import random
import re
from datetime import date, timedelta
from string import Formatter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.codes import FailReason, Outcome, Purpose, ResidenceGroup, ServiceKind, WaitReason
from schemas.events import (
    AppointmentReleased,
    ConsentGiven,
    ConsentWithdrawn,
    EventData,
    NeedConfirmed,
    NeedWaiting,
    NeedWithdrawn,
    PersonCorrected,
    PersonErased,
    PersonMoved,
    ProfileRecorded,
    ReferralAgreed,
    ReferralCompleted,
    ReferralFailed,
    ReferralRefused,
)
from services.profiling.answers import Answers
from services.profiling.commands import Add, ConfirmNeeds, RecordProfile, Standing, WithdrawNeed
from services.profiling.decide import ForgetVersions, KeepVersion
from services.profiling.evolve import evolve, open_needs
from services.profiling.guideline import AnswerKind, Question, guideline
from services.profiling.model import Case, ProfileVersion
from services.profiling.needs import NeedState, derive, reason_key
from services.profiling.rules import RULES
from services.profiling.service import SERVICE
from services.profiling.situation import Facts
from services.profiling.store import VERSIONS, writes
from services.runtime.catalogue import LANGUAGES, Catalogue
from services.runtime.errors import Refused
from services.runtime.ids import child
from tests.given import World
from tests.profiling.talks import (
    BRAMSCHE,
    CASE,
    COUNTY,
    GUIDELINE,
    MELLE,
    NOW,
    TALK_PURPOSES,
    arrival,
    booking,
    certificate,
    profiling,
    record,
    whole_talk,
)

ASKED = guideline(GUIDELINE)
CATALOGUE = Catalogue(SERVICE.messages)
SOURCE = re.compile(r"(\[00[0134]\]|domain\.md) .+")


def answers_to(question: Question) -> st.SearchStrategy[Any]:
    codes = st.sampled_from(list(question.options) or [""])
    return {
        AnswerKind.CODE: codes,
        AnswerKind.CODES: st.lists(codes, max_size=6),
        AnswerKind.LEVELS: st.dictionaries(st.sampled_from(["listening", "reading", "speaking", "writing"]), codes),
        AnswerKind.YES_NO: st.booleans(),
        AnswerKind.NUMBER: st.integers(0, question.highest),
        AnswerKind.AGES: st.lists(st.integers(0, 25), max_size=5),
        AnswerKind.CERTIFICATES: st.lists(st.builds(certificate, until=st.none() | st.dates().map(str)), max_size=2),
        AnswerKind.LANGUAGES: st.lists(st.sampled_from(["ara", "deu", "eng", "kur", "pol", "tir"]), max_size=3),
    }[question.answer]


sheets = st.fixed_dictionaries({}, optional={one.id: st.none() | answers_to(one) for one in ASKED.questions})
people = st.builds(
    Facts,
    arrived_on=st.dates(date(2005, 1, 1), date(2016, 6, 1)),
    in_germany_since=st.none() | st.dates(date(2000, 1, 1), date(2016, 6, 1)),
    birth_year=st.none() | st.integers(1926, 2016),
    residence_group=st.none() | st.sampled_from(ResidenceGroup),
    languages=st.lists(st.sampled_from(["ara", "deu", "eng", "pol"]), max_size=2).map(tuple),
)


# --- the rules ----------------------------------------------------------------------------------------------------------


@given(sheet=sheets, facts=people, seed=st.integers())
def test_the_same_person_always_needs_the_same_whatever_the_order_of_rules_and_answers(
    sheet: dict[str, Any], facts: Facts, seed: int
) -> None:
    shuffled, rules = list(sheet.items()), list(RULES)
    random.Random(seed).shuffle(shuffled)
    random.Random(seed).shuffle(rules)
    first = derive(Answers.of(ASKED.read(sheet)), facts, NOW)
    again = derive(Answers.of(ASKED.read(dict(shuffled))), facts, NOW, rules=rules)
    assert sorted(first, key=lambda one: one.rule) == sorted(again, key=lambda one: one.rule)


@given(sheet=sheets, facts=people)
def test_every_derived_need_says_why_in_both_languages_and_by_which_document(
    sheet: dict[str, Any], facts: Facts
) -> None:
    by_id = {rule.id: rule for rule in RULES}
    for one in derive(Answers.of(ASKED.read(sheet)), facts, NOW):
        assert SOURCE.fullmatch(by_id[one.rule].source)
        for language in LANGUAGES:
            reason = CATALOGUE.text(language, one.reason_key, one.params)
            assert reason.endswith(".")
            assert not re.search(r"[{}]|None|\(\)", reason), reason


@given(sheet=sheets, facts=people)
def test_a_need_keeps_no_more_about_a_person_than_its_reason_says(sheet: dict[str, Any], facts: Facts) -> None:
    for one in derive(Answers.of(ASKED.read(sheet)), facts, NOW):
        text = CATALOGUE.text("de", reason_key(one.rule), {name: f"{{{name}}}" for name in one.params})
        assert {name for _, name, _, _ in Formatter().parse(text) if name} == set(one.params)


@given(sheet=sheets, facts=people)
def test_nobody_is_sent_to_two_integration_courses_or_two_job_placements(sheet: dict[str, Any], facts: Facts) -> None:
    kinds = [one.kind for one in derive(Answers.of(ASKED.read(sheet)), facts, NOW)]
    assert len(kinds) == len(set(kinds))
    assert sum(kind.startswith(("integration-course", "parents-course")) for kind in kinds) <= 1


@given(sheet=sheets)
def test_a_sheet_read_once_reads_the_same_again(sheet: dict[str, Any]) -> None:
    answers = ASKED.read(sheet)
    assert ASKED.read(answers) == answers


# --- everything that can happen to a case -------------------------------------------------------------------------------

NEED = child(CASE, "housing.1/housing")
STEP: dict[str, Any] = {
    "referral": child(CASE, "referral"),
    "need": NEED,
    "kind": ServiceKind.HOUSING,
}

events: st.SearchStrategy[EventData] = st.sampled_from(
    [
        arrival(),
        booking(),
        AppointmentReleased(appointment=booking().appointment),
        PersonCorrected(**{**arrival().model_dump(), "birth_year": 1998}),
        PersonMoved(moved_on=date(2016, 6, 2), district=BRAMSCHE),
        PersonMoved(moved_on=date(2016, 6, 2), district=None),
        PersonMoved(moved_on=date(2016, 6, 3), district=MELLE),
        ConsentGiven(purposes=TALK_PURPOSES),
        ConsentGiven(purposes=(Purpose.TRANSFER,)),
        ConsentWithdrawn(purposes=(Purpose.TRANSFER,)),
        ConsentWithdrawn(purposes=(Purpose.ADVICE,)),
        ReferralAgreed(**STEP),
        ReferralRefused(**STEP),
        ReferralRefused(**STEP, another=False),
        ReferralCompleted(**STEP, outcome=Outcome.PLACE_FOUND),
        ReferralFailed(**STEP, reason=FailReason.PERSON_ILL),
        NeedWaiting(need=NEED, kind=ServiceKind.HOUSING, reason=WaitReason.NO_FREE_SEAT),
        NeedWaiting(need=NEED, kind=ServiceKind.HOUSING, reason=WaitReason.ALL_TRIED),
    ]
)
commands: st.SearchStrategy[BaseModel] = st.sampled_from(
    [
        record(answers={"languages": ["ara"]}),
        record(answers=whole_talk(goals=["find-a-home"])),
        record(answers=whole_talk(goals=["find-a-home", "meet-people"]), confirm_derived=True),
        record(answers=whole_talk(goals=["meet-people"])),
        ConfirmNeeds(case=CASE, decisions=(Add(decision="add", kind=ServiceKind.HOUSING),)),
        WithdrawNeed(case=CASE, need=NEED),
    ]
)
happenings = st.lists(events | commands, max_size=14)
many = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def happen(world: World, what: list[EventData | BaseModel]) -> None:
    """Everything in this order, a minute apart. A command that the rules forbid is answered and changes nothing."""
    refusals: set[str] = set()
    for one in what:
        world.now += timedelta(minutes=1)
        if isinstance(one, EventData):
            world.hears(one, CASE)
        else:
            try:
                world.asks(one, actor="counsellor")
            except Refused as refused:
                refusals.add(refused.code)
    assert {code for code in refusals if not CATALOGUE.has(f"problem.{code}.title")} == set()


@many
@given(what=happenings, erased_at=st.integers(0, 14), later=happenings)
def test_an_erased_case_never_comes_back_whatever_is_replayed(
    what: list[EventData | BaseModel], erased_at: int, later: list[EventData | BaseModel]
) -> None:
    world = profiling()
    happen(world, [*what[:erased_at], PersonErased()])
    told, effects = len(world.told), len(world.effects)
    happen(world, [*what, *later, PersonErased(), *what])
    assert world.get(Case, CASE) == Case(id=CASE, erased=True)
    assert (world.told[told:], world.effects[effects:]) == ([], [])


@given(fact=events)
def test_no_fact_changes_a_tombstone(fact: EventData) -> None:
    tombstone = Case(id=CASE, erased=True)
    assert evolve(tombstone, fact, NOW) == tombstone


@many
@given(what=happenings)
def test_no_version_of_a_profile_is_ever_lost_or_written_over(what: list[EventData | BaseModel]) -> None:
    world = profiling()
    happen(world, what)
    kept = [effect.version for effect in world.effects if isinstance(effect, KeepVersion)]
    assert [one.version for one in kept] == list(range(1, len(kept) + 1))
    assert world.get(Case, CASE).profile == (kept[-1] if kept else None)
    recorded = world.told_of(ProfileRecorded)
    assert [(one.version, one.complete) for one in recorded] == [(one.version, one.complete) for one in kept]
    written = [write.operation._doc["_id"] for write in writes(COUNTY, world.effects)]
    assert written == [f"{CASE}/{one.version}" for one in kept]


@many
@given(what=happenings)
def test_others_hear_of_needs_exactly_as_they_stand(what: list[EventData | BaseModel]) -> None:
    world = profiling()
    happen(world, what)
    confirmed = [one.need for one in world.told_of(NeedConfirmed)]
    withdrawn = [one.need for one in world.told_of(NeedWithdrawn)]
    rested = sum(isinstance(one, ReferralRefused) and not one.another for one in what)
    rested += sum(isinstance(one, NeedWaiting) and one.reason is WaitReason.ALL_TRIED for one in what)
    assert all(confirmed.count(need) <= 1 + rested * (need == NEED) for need in confirmed)
    assert len(set(withdrawn)) == len(withdrawn)
    standing = {need.id for need in world.get(Case, CASE).needs if need.state is NeedState.CONFIRMED}
    assert standing == set(confirmed) - set(withdrawn)
    assert set(withdrawn) <= set(confirmed)


@many
@given(what=happenings)
def test_nothing_is_sought_for_who_has_not_arrived_moved_away_or_withdrew_the_consent(
    what: list[EventData | BaseModel],
) -> None:
    world = profiling()
    happen(world, what)
    case = world.get(Case, CASE)
    if case.obstacle is not None:
        assert open_needs(case) == frozenset()
        assert case.stage in {"not-arrived", "ended"}
    if not case.arrived:
        assert world.told == []


@many
@given(what=happenings, again=st.integers(0, 13))
def test_a_command_sent_again_right_away_changes_nothing(what: list[EventData | BaseModel], again: int) -> None:
    world = profiling()
    happen(world, what[:again])
    for command in [one for one in what if isinstance(one, RecordProfile | ConfirmNeeds | WithdrawNeed)][:1]:
        happen(world, [command])
        case, told = world.get(Case, CASE), list(world.told)
        if case.arrived:
            happen(world, [command])
            assert (world.get(Case, CASE), world.told) == (case, told)


@many
@given(
    what=st.permutations(
        [arrival(), ConsentWithdrawn(purposes=(Purpose.TRANSFER, Purpose.FAMILY)), record(), booking()]
    )
)
def test_a_withdrawn_consent_is_remembered_in_every_order(what: list[EventData | BaseModel]) -> None:
    world = profiling()
    happen(world, what)
    case = world.get(Case, CASE)
    assert case.stage == "ended"
    assert not {Purpose.TRANSFER, Purpose.FAMILY} & set(case.consents)
    assert world.told_of(NeedConfirmed) == []


@many
@given(
    what=st.permutations(
        [
            arrival(),
            booking(),
            record(answers=whole_talk(goals=["find-a-home"]), confirm_derived=True),
            ConsentGiven(purposes=TALK_PURPOSES),
        ]
    )
)
def test_the_order_of_arrival_talk_and_consents_makes_no_difference_to_the_plan(
    what: list[EventData | BaseModel],
) -> None:
    usual, other = profiling(), profiling()
    happen(usual, sorted(what, key=lambda one: type(one).__name__))
    happen(other, what)
    assert [need.id for need in other.get(Case, CASE).plan] == [need.id for need in usual.get(Case, CASE).plan]
    assert other.get(Case, CASE).stage == "planned"
    assert [one.need for one in other.told_of(NeedConfirmed)] == [one.need for one in usual.told_of(NeedConfirmed)]


def test_a_version_recorded_and_erased_in_one_transaction_is_never_written() -> None:
    version = ProfileVersion(
        version=1, guideline=GUIDELINE, complete=False, answers={}, recorded_by="counsellor", recorded_at=NOW
    )
    made = list(writes(COUNTY, [KeepVersion(CASE, version), ForgetVersions(CASE, 1)]))
    assert [(write.collection, type(write.operation).__name__) for write in made] == [(VERSIONS, "DeleteOne")]


def test_what_a_command_is_answered_says_nothing_about_the_person() -> None:
    assert set(Standing.model_fields) == {"case", "stage", "version", "kept_until", "needs"}
