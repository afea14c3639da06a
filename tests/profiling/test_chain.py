"""What usually follows a completed course or service is suggested by itself, and nothing is sought before the counsellor confirms it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.codes import Cefr, Outcome, Purpose, ServiceKind, Skill
from schemas.ends import OUTCOMES
from schemas.events import (
    ConsentWithdrawn,
    GermanLevels,
    NeedConfirmed,
    NeedWithdrawn,
    ProfileRecorded,
    ReferralAccepted,
    ReferralCompleted,
)
from services.profiling.answers import Answers
from services.profiling.chain import CHAIN, CHAIN_BY_ID, follows, parse, with_certificate
from services.profiling.commands import Add, Confirm, Drop, WithdrawNeed
from services.profiling.guideline import SKILLS
from services.profiling.model import Stage
from services.profiling.needs import Need, NeedState
from services.profiling.service import SERVICE
from services.profiling.views import case_view
from services.runtime.catalogue import LANGUAGES, Catalogue
from services.runtime.errors import Refused
from services.runtime.ids import child
from tests.given import World
from tests.profiling.steps import case_of, decide_upon
from tests.profiling.talks import CASE, arrival, levels, profiling, record, whole_talk

SENTENCES = Catalogue(SERVICE.messages)
COURSE = ServiceKind.INTEGRATION_COURSE_GENERAL


@pytest.fixture
def talked() -> World:
    """Somebody at A1 who needs a course; their talk is done and their needs are confirmed."""
    world = profiling()
    world.hears(arrival(), CASE)
    world.asks(record(confirm_derived=True))
    return world


def completes(
    world: World, kind: ServiceKind, outcome: Outcome, number: int = 1, skills: tuple[Skill, ...] = ()
) -> str:
    """A referral for a need of this kind comes to its end; the need is the confirmed one, or one that nobody knows."""
    known = [need.id for need in case_of(world).plan if need.kind is kind]
    need = known[-1] if known else child(CASE, f"{kind}/{number}")
    referral = child(need, f"referral/{number}")
    world.hears(ReferralCompleted(referral=referral, need=need, kind=kind, outcome=outcome, skills=skills), CASE)
    return need


def suggested(world: World) -> list[Need]:
    return [need for need in case_of(world).needs if need.state is NeedState.SUGGESTED]


def german(world: World) -> GermanLevels:
    profile = case_of(world).profile
    assert profile is not None
    return Answers.of(profile.answers).german


def test_after_b1_vocational_german_is_suggested_and_the_level_enters_the_profile(talked: World) -> None:
    told = len(talked.told)
    need = next(need.id for need in case_of(talked).plan if need.kind is COURSE)
    step = {"referral": child(need, "referral/1"), "need": need, "kind": COURSE}
    talked.hears(ReferralAccepted(**step, partner="vhs", fields=(), until=talked.now.date()), CASE)
    talked.hears(ReferralCompleted(**step, outcome=Outcome.LEVEL_B1), CASE)

    (next_step,) = suggested(talked)
    assert (next_step.kind, next_step.rule) == (ServiceKind.VOCATIONAL_GERMAN, "after-integration-course.1")
    assert german(talked) == GermanLevels(**dict.fromkeys(SKILLS, Cefr.B1))
    profile = case_of(talked).profile
    assert profile is not None
    assert (profile.version, profile.complete, profile.recorded_by) == (2, True, "vhs")
    assert [type(event) for event in talked.told[told:]] == [ProfileRecorded]
    assert case_of(talked).stage is Stage.PROFILED


def test_what_is_suggested_is_told_with_its_rule_its_reason_and_its_source(talked: World) -> None:
    completes(talked, COURSE, Outcome.LEVEL_B1)
    view = case_view(case_of(talked), [], SENTENCES, "en")
    (line,) = [need for need in view.needs if need.state is NeedState.SUGGESTED]
    assert line.rule == "after-integration-course.1"
    assert line.reason == "The person was certified level B1 and can now learn German for work."
    assert line.source is not None
    assert line.source.startswith("[003]")


def test_nothing_is_sought_for_it_until_the_counsellor_confirms_it(talked: World) -> None:
    before = len(talked.told_of(NeedConfirmed))
    completes(talked, COURSE, Outcome.LEVEL_B1)
    talked.asks(record(answers=whole_talk(german=levels("b1"), goals=["meet-people"]), confirm_derived=True))
    kinds = [event.kind for event in talked.told_of(NeedConfirmed)[before:]]
    assert ServiceKind.VOCATIONAL_GERMAN not in kinds, "not even by a sheet that confirms what its rules derive"
    (next_step,) = suggested(talked)
    decide_upon(talked, Confirm(decision="confirm", need=next_step.id))
    assert talked.told_of(NeedConfirmed)[-1] == NeedConfirmed(need=next_step.id, kind=next_step.kind)


def test_it_stays_whatever_the_rules_of_the_profile_say_and_is_never_in_doubt(talked: World) -> None:
    completes(talked, COURSE, Outcome.LEVEL_B1)
    (next_step,) = suggested(talked)
    talked.asks(record(answers=whole_talk(german=levels("b2"))))
    assert suggested(talked) == [next_step]
    decide_upon(talked, Confirm(decision="confirm", need=next_step.id))
    talked.asks(record(answers=whole_talk(german=levels("a1"))))
    confirmed = case_of(talked).need(next_step.id)
    assert confirmed is not None
    assert (confirmed.state, confirmed.in_doubt) == (NeedState.CONFIRMED, False)


def test_the_counsellor_may_drop_it_or_add_the_kind_and_has_it_once(talked: World) -> None:
    completes(talked, COURSE, Outcome.LEVEL_B1)
    (next_step,) = suggested(talked)
    with pytest.raises(Refused, match="need-not-confirmed"):
        talked.asks(WithdrawNeed(case=CASE, need=next_step.id))
    decide_upon(talked, Drop(decision="drop", need=next_step.id))
    assert suggested(talked) == []
    decide_upon(talked, Add(decision="add", kind=ServiceKind.VOCATIONAL_GERMAN))
    completes(talked, ServiceKind.GERMAN_COURSE_OTHER, Outcome.LEVEL_B1, number=2)
    assert suggested(talked) == [], "it is sought already"


def test_the_same_again_after_the_next_completion_is_a_need_of_its_own(talked: World) -> None:
    completes(talked, COURSE, Outcome.LEVEL_A2)
    (second,) = suggested(talked)
    assert (second.kind, second.rule) == (COURSE, "after-language-course-below-b1.1")
    decide_upon(talked, Confirm(decision="confirm", need=second.id))
    completes(talked, COURSE, Outcome.LEVEL_A2, number=2)
    (third,) = suggested(talked)
    assert third.kind is COURSE
    assert third.id != second.id


def test_after_a_partial_recognition_comes_adaptation_training_and_the_profile_stays(talked: World) -> None:
    told = len(talked.told)
    completes(talked, ServiceKind.RECOGNITION_COUNSELLING, Outcome.PARTLY_RECOGNISED)
    assert [need.kind for need in suggested(talked)] == [ServiceKind.ADAPTATION_TRAINING]
    assert len(talked.told) == told


@pytest.mark.parametrize(("kind", "outcome"), [(COURSE, Outcome.ATTENDED), (ServiceKind.LOTSE, Outcome.SUPPORT_GIVEN)])
def test_where_nothing_usually_follows_nothing_is_suggested(talked: World, kind: ServiceKind, outcome: Outcome) -> None:
    before = case_of(talked).needs
    completes(talked, kind, outcome)
    assert case_of(talked).needs == before


def test_a_certificate_lowers_nothing_and_says_nothing_twice() -> None:
    better = {"german": {**levels("a2"), "speaking": "b2"}}
    raised = with_certificate(better, Outcome.LEVEL_B1)
    assert raised is not None
    assert raised == {"german": {**levels("b1"), "speaking": "b2"}}
    assert with_certificate(raised, Outcome.LEVEL_B1) is None
    assert with_certificate(raised, Outcome.ATTENDED) is None
    assert with_certificate({}, Outcome.LEVEL_A1) == {"german": levels("a1")}


def test_a_certificate_raises_the_skills_that_it_names_and_only_one_that_names_none_raises_all() -> None:
    before = {"german": levels("a2")}
    assert with_certificate(before, Outcome.LEVEL_B1, (Skill.SPEAKING,)) == {
        "german": {**levels("a2"), "speaking": "b1"}
    }
    assert with_certificate({}, Outcome.LEVEL_B1, (Skill.SPEAKING,)) == {"german": {"speaking": "b1"}}
    assert with_certificate(before, Outcome.LEVEL_B1) == {"german": levels("b1")}


def test_from_a_part_of_a_level_nothing_follows_yet(talked: World) -> None:
    before = case_of(talked).needs
    completes(talked, COURSE, Outcome.LEVEL_B1, skills=(Skill.SPEAKING,))
    assert case_of(talked).needs == before
    profile = case_of(talked).profile
    assert profile is not None
    assert profile.answers["german"]["speaking"] == "b1"


def test_when_the_consent_is_gone_nothing_is_suggested_and_what_was_is_over(talked: World) -> None:
    completes(talked, COURSE, Outcome.LEVEL_A2)
    told = len(talked.told_of(NeedWithdrawn))
    talked.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), CASE)
    assert suggested(talked) == []
    gone = {event.need for event in talked.told_of(NeedWithdrawn)[told:]}
    assert not gone & {need.id for need in case_of(talked).needs if need.rule in CHAIN_BY_ID}, "nobody had heard of it"
    completes(talked, ServiceKind.RECOGNITION_COUNSELLING, Outcome.PARTLY_RECOGNISED)
    assert suggested(talked) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([(kind, outcome) for kind, outcomes in OUTCOMES.items() for outcome in outcomes]), max_size=8
    )
)
def test_whatever_is_completed_nothing_is_sought_by_itself_and_no_kind_is_open_twice(
    ends: list[tuple[ServiceKind, Outcome]],
) -> None:
    world = profiling()
    world.hears(arrival(), CASE)
    world.asks(record())
    for number, (kind, outcome) in enumerate(ends):
        completes(world, kind, outcome, number)
        kinds = [need.kind for need in case_of(world).needs if need.state is NeedState.SUGGESTED]
        assert len(set(kinds)) == len(kinds)
    assert world.told_of(NeedConfirmed) == []
    undecided = [need.id for need in case_of(world).needs if need.is_undecided]
    if undecided:
        decide_upon(world, *(Confirm(decision="confirm", need=one) for one in undecided))
    assert [event.need for event in world.told_of(NeedConfirmed)] == undecided


def test_every_rule_of_the_chain_says_in_both_languages_why_and_by_which_document() -> None:
    for rule in CHAIN.rules:
        assert rule.source.startswith(("[000]", "[001]", "[003]", "[004]", "domain.md")), rule.id
        for language in LANGUAGES:
            assert SENTENCES.text(language, f"reason.{rule.id}", {"level": "B1"}).endswith(".")
        for kind in rule.after:
            for outcome in set(rule.outcomes) & set(OUTCOMES[kind]):
                assert follows(kind, outcome) is rule


RULE = '{id: after-a.1, after: [lotse], outcomes: [support-given], then: housing, source: "[000]"}'


@pytest.mark.parametrize(
    "rules",
    [
        [RULE, RULE],
        [RULE, RULE.replace("after-a", "after-b")],
        [RULE.replace("support-given", "level-b1")],
        [RULE.replace("after-a.1", "a.1")],
    ],
)
def test_a_rule_that_cannot_hold_or_contradicts_another_stops_the_service_at_its_start(rules: list[str]) -> None:
    with pytest.raises(ValidationError):
        parse("rules:\n" + "".join(f"  - {rule}\n" for rule in rules))
