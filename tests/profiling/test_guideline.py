"""The guideline: what may be answered, what is said about a wrong answer, and when a profile is complete."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.profiling.answers import Answers
from services.profiling.guideline import (
    GUIDELINES,
    AnswerKind,
    UnknownGuideline,
    WrongAnswers,
    guideline,
    guideline_on,
    parse,
)
from services.profiling.service import SERVICE
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from tests.profiling.talks import FIRST_GUIDELINE, GUIDELINE, certificate, levels, whole_talk

QUESTIONS = guideline(GUIDELINE)


def wrong(**sheet: Any) -> list[tuple[str, str]]:
    with pytest.raises(WrongAnswers) as refused:
        QUESTIONS.read(sheet)
    return [(one.where, one.code) for one in refused.value.found]


def test_a_whole_talk_is_complete_and_a_talk_without_an_answer_lacks_just_that_one() -> None:
    assert QUESTIONS.missing(QUESTIONS.read(whole_talk()), 34) == ()
    for question in (question for question in QUESTIONS.questions if question.required):
        answers = QUESTIONS.read(whole_talk(**{question.id: None}))
        assert QUESTIONS.missing(answers, 34) == (question.id,)


def test_german_counts_as_answered_when_every_skill_is() -> None:
    answers = QUESTIONS.read(whole_talk(german={**levels("b1"), "writing": None}))
    assert answers["german"] == {"listening": "b1", "reading": "b1", "speaking": "b1"}
    assert QUESTIONS.missing(answers, 34) == ("german",)


def test_children_are_not_asked_about_work_and_small_ones_not_about_reading() -> None:
    assert QUESTIONS.missing(QUESTIONS.read({"languages": ["ara"]}), 4) == ()
    school_child = QUESTIONS.read({"languages": ["ara"], "german": levels("a1"), "literacy": "literate"})
    assert QUESTIONS.missing(school_child, 9) == ()
    assert "working" in QUESTIONS.missing(school_child, 16)


def test_who_has_no_known_age_is_asked_everything() -> None:
    assert QUESTIONS.missing({}, None) == tuple(one.id for one in QUESTIONS.questions if one.required)


def test_voluntary_questions_about_health_and_burdens_are_never_required() -> None:
    voluntary = {"psychosocial_support_wanted", "health_guidance_wanted", "access_needs"}
    assert not any(one.required for one in QUESTIONS.questions if one.id in voluntary)


def test_none_is_an_answer_and_nothing_is_not() -> None:
    answers = QUESTIONS.read({"children_ages": [], "goals": None})
    assert answers == {"children_ages": []}


def test_the_same_answers_in_another_order_or_spelling_are_the_same() -> None:
    one = QUESTIONS.read(
        {"goals": ["training", "find-work", "training"], "children_ages": [7, 2], "languages": ["ar", "ARA"]}
    )
    other = QUESTIONS.read({"languages": ["ara"], "children_ages": [2, 7], "goals": ["find-work", "training"]})
    assert one == other


def test_every_wrong_answer_is_named_by_its_place() -> None:
    found = wrong(
        german={"reading": "a7", "speaking": 3},
        literacy="yes",
        working="no",
        school_years=26,
        children_ages=[3, "five"],
        goals="find-work",
        languages=["xx"],
    )
    assert found == [
        ("languages.0", "language-code"),
        ("german.reading", "choice"),
        ("literacy", "choice"),
        ("children_ages.1", "whole-number"),
        ("school_years", "at-most"),
        ("working", "truth"),
        ("goals", "list"),
    ]


@pytest.mark.parametrize(
    ("sheet", "found"),
    [
        ({"school_years": -1}, ("school_years", "at-least")),
        ({"school_years": True}, ("school_years", "whole-number")),
        ({"children_ages": [26]}, ("children_ages.0", "at-most")),
        ({"children_ages": [1] * 21}, ("children_ages", "too-many")),
        ({"german": "a1"}, ("german", "object")),
        ({"german": {"singing": "a1"}}, ("german", "unknown")),
        ({"literacy": ["literate"]}, ("literacy", "choice")),
        ({"name of the person": "somebody"}, ("", "question")),
    ],
)
def test_what_cannot_be_is_refused(sheet: dict[str, Any], found: tuple[str, str]) -> None:
    assert wrong(**sheet) == [found]


def test_no_error_repeats_what_was_written() -> None:
    with pytest.raises(WrongAnswers) as refused:
        QUESTIONS.read({"literacy": "Amira Haddad", "Amira": "Haddad", "languages": ["Amira"]})
    assert "Amira" not in str(refused.value)
    assert "Amira" not in repr([(one.where, one.code, dict(one.params)) for one in refused.value.found])


def test_everything_that_can_be_wrong_has_a_sentence() -> None:
    catalogue = Catalogue(RUNTIME_MESSAGES, SERVICE.messages)
    codes = {
        "language-code",
        "choice",
        "whole-number",
        "at-least",
        "at-most",
        "truth",
        "list",
        "object",
        "unknown",
        "date",
    }
    assert [code for code in codes | {"question", "too-many"} if not catalogue.has(f"field.{code}")] == []


def test_the_answers_that_rules_read_are_the_questions_that_are_asked() -> None:
    assert {question.id for question in QUESTIONS.questions} == set(Answers.model_fields)


def test_a_certificate_is_read_in_one_form() -> None:
    read = QUESTIONS.read({"certificates": [certificate(), certificate(until=None, fee_exempt=True)]})
    known = Answers.of(read).certificates
    assert known is not None
    second, first = known
    assert (first.valid_until, first.fee_exempt) == (date(2017, 12, 31), False)
    assert (second.valid_until, second.fee_exempt, second.issuer) == (None, True, "bamf")
    assert QUESTIONS.read(read) == read
    shuffled = [certificate(until=None, fee_exempt=True), certificate(), certificate(fee_exempt=False)]
    assert QUESTIONS.read({"certificates": shuffled}) == read


@pytest.mark.parametrize(
    ("given", "where", "code"),
    [
        ("admitted", "certificates.0", "object"),
        (certificate(number="A 123"), "certificates.0", "unknown"),
        (certificate(kind="wanted"), "certificates.0.kind", "choice"),
        (certificate(issuer=None), "certificates.0.issuer", "choice"),
        (certificate(until="31.12.2017"), "certificates.0.valid_until", "date"),
        (certificate(fee_exempt="yes"), "certificates.0.fee_exempt", "truth"),
    ],
)
def test_of_a_wrong_certificate_the_wrong_part_is_named(given: object, where: str, code: str) -> None:
    assert wrong(certificates=[given]) == [(where, code)]


def test_rules_can_read_every_code_that_may_be_answered() -> None:
    for question in QUESTIONS.questions:
        for code in question.options:
            given: Any = {
                AnswerKind.CODE: code,
                AnswerKind.CODES: [code],
                AnswerKind.LEVELS: {"reading": code},
            }[question.answer]
            assert getattr(Answers.of(QUESTIONS.read({question.id: given})), question.id)


def test_sheets_may_name_any_version_that_ever_was() -> None:
    versions = [parse(file.read_text(encoding="utf-8")).version for file in GUIDELINES.glob("*.yaml")]
    assert len(set(versions)) == len(versions)
    assert {guideline(version).version for version in versions} == set(versions)
    with pytest.raises(UnknownGuideline):
        guideline("guideline-1916.1")


def test_the_talk_is_led_by_the_newest_guideline_that_is_valid() -> None:
    assert guideline_on(date(2016, 6, 1)).version == GUIDELINE
    assert guideline_on(date(2016, 1, 3)).version == FIRST_GUIDELINE
    assert guideline_on(date(2010, 1, 1)).version == FIRST_GUIDELINE, "before there was one, the first"


def test_a_question_with_codes_must_list_them() -> None:
    with pytest.raises(ValidationError, match="codes belong to"):
        parse("{version: v, valid_from: 2016-01-01, questions: [{id: a, answer: code, text: {de: a, en: a}}]}")
