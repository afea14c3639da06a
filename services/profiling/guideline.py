"""The guideline of the first talk: versioned questions, and what a filled-in sheet must look like.

Guidelines are the files in `guidelines/`, one a version, and stay there as long as a stored profile names them. What is guaranteed:
`read` gives answers in one form only (equal answers are equal values) that `Answers` takes, or says for each wrong answer what is
wrong, never repeating it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.codes import CertificateIssuer, CertificateKind, CourseScheme
from schemas.events import Certificate, Code, GermanLevels
from schemas.labels import Label, labels
from schemas.languages import UnknownLanguage, language
from schemas.plain_yaml import read_yaml

GUIDELINES: Final = Path(__file__).with_name("guidelines")
SKILLS: Final = tuple(GermanLevels.model_fields)
MOST_ENTRIES: Final = 20
OLDEST_CHILD: Final = 25
"""Years. Older ones who live with their parents are cases of their own."""


class AnswerKind(StrEnum):
    """What an answer looks like."""

    CODE = "code"
    CODES = "codes"
    LEVELS = "levels"
    YES_NO = "yes-no"
    NUMBER = "number"
    AGES = "ages"
    LANGUAGES = "languages"
    CERTIFICATES = "certificates"


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one answer: where (``german.reading``), the sentence's code and what fills it. Never the value."""

    where: str
    code: str
    params: Mapping[str, object] = field(default_factory=dict[str, object])


class WrongAnswers(Exception):
    """A sheet that does not fit its guideline."""

    def __init__(self, found: Sequence[Wrong]) -> None:
        super().__init__(", ".join(f"{one.where}: {one.code}" for one in found))
        self.found = tuple(found)


class UnknownGuideline(LookupError):
    """No guideline has this version. The text does not repeat it."""

    def __init__(self) -> None:
        super().__init__("no guideline has this version")


class Question(BaseModel):
    """One question. `highest` bounds a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    answer: AnswerKind
    codes: str | Mapping[str, Label] | None = None
    required: bool = False
    from_age: int | None = Field(default=None, ge=0)
    to_age: int | None = Field(default=None, ge=0)
    highest: int = 100
    text: Label

    @model_validator(mode="after")
    def _codes_where_needed(self) -> Question:
        if (self.answer in (AnswerKind.CODE, AnswerKind.CODES)) != (self.codes is not None):
            raise ValueError(f"{self.id}: codes belong to the answers code and codes, and to no other")
        return self

    @property
    def options(self) -> Mapping[str, Label]:
        """The codes that may be answered, in their order, with their words."""
        if self.answer is AnswerKind.LEVELS:
            return labels()["Cefr"]
        if isinstance(self.codes, str):
            return labels()[self.codes]
        return self.codes or {}

    def is_asked(self, age: int | None) -> bool:
        """Whether somebody of this age is asked."""
        if age is None:
            return True
        return (self.from_age is None or age >= self.from_age) and (self.to_age is None or age <= self.to_age)

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        """Whether the answer is there, and whole: a level for each skill."""
        answer = answers.get(self.id)
        if self.answer is AnswerKind.LEVELS:
            return answer is not None and set(answer) == set(SKILLS)
        return answer is not None


class Guideline(BaseModel):
    """One version of the questions."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Code
    valid_from: date
    questions: tuple[Question, ...]

    def read(self, sheet: Mapping[str, object]) -> dict[str, Any]:
        """The answers of a sheet, coded; what was not answered (null) is left out. Raises `WrongAnswers`."""
        known = {question.id: question for question in self.questions}
        wrong = [Wrong("", "question") for name in sheet if name not in known][:1]
        answers: dict[str, Any] = {}
        for question in self.questions:
            given = sheet.get(question.id)
            if given is None:
                continue
            try:
                answers[question.id] = _READERS[question.answer](question, given)
            except WrongAnswers as error:
                wrong.extend(error.found)
        if wrong:
            raise WrongAnswers(wrong)
        return answers

    def missing(self, answers: Mapping[str, Any], age: int | None) -> tuple[str, ...]:
        """The required questions that are still to be asked of somebody of this age."""
        return tuple(
            question.id
            for question in self.questions
            if question.required and question.is_asked(age) and not question.is_answered(answers)
        )


def guideline(version: str) -> Guideline:
    """The guideline of this version. Raises `UnknownGuideline`."""
    try:
        return _guidelines()[version]
    except KeyError:
        raise UnknownGuideline from None


def guideline_on(day: date) -> Guideline:
    """The guideline by which is asked on a day: the newest valid one, or the oldest before there was any."""
    by_age = sorted(_guidelines().values(), key=lambda one: one.valid_from)
    return next((one for one in reversed(by_age) if one.valid_from <= day), by_age[0])


@cache
def _guidelines() -> dict[str, Guideline]:
    read = [parse(file.read_text(encoding="utf-8")) for file in sorted(GUIDELINES.glob("*.yaml"))]
    return {one.version: one for one in read}


def parse(text: str) -> Guideline:
    """The guideline that a file describes. Raises pydantic's `ValidationError`."""
    return Guideline.model_validate(read_yaml(text))


# --- one reader for each kind of answer -------------------------------------------------------------------------------


def _code(question: Question, given: object) -> str:
    return _one_of(question.options, given, question.id)


def _codes(question: Question, given: object) -> list[str]:
    options = question.options
    named = {_one_of(options, entry, where) for where, entry in _entries(question, given)}
    return [code for code in options if code in named]


def _levels(question: Question, given: object) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise WrongAnswers([Wrong(question.id, "object")])
    levels = cast("Mapping[str, object]", given)
    if not set(levels) <= set(SKILLS):
        raise WrongAnswers([Wrong(question.id, "unknown")])
    told = {skill: levels[skill] for skill in SKILLS if levels.get(skill) is not None}
    return {skill: _one_of(question.options, level, f"{question.id}.{skill}") for skill, level in told.items()}


def _yes_no(question: Question, given: object) -> bool:
    if not isinstance(given, bool):
        raise WrongAnswers([Wrong(question.id, "truth")])
    return given


def _number(question: Question, given: object) -> int:
    return _whole_number(given, question.id, question.highest)


def _ages(question: Question, given: object) -> list[int]:
    return sorted(_whole_number(entry, where, OLDEST_CHILD) for where, entry in _entries(question, given))


def _languages(question: Question, given: object) -> list[str]:
    spoken: dict[str, None] = {}
    for where, entry in _entries(question, given):
        try:
            spoken[language(entry if isinstance(entry, str) else "")] = None
        except UnknownLanguage:
            raise WrongAnswers([Wrong(where, "language-code")]) from None
    return list(spoken)


def _certificates(question: Question, given: object) -> list[dict[str, Any]]:
    found = {repr(read): read for read in (_certificate(entry, where) for where, entry in _entries(question, given))}
    return [found[text] for text in sorted(found)]


def _certificate(given: object, where: str) -> dict[str, Any]:
    """One certificate, in the form of `schemas.events.Certificate`."""
    if not isinstance(given, Mapping):
        raise WrongAnswers([Wrong(where, "object")])
    told = cast("Mapping[str, object]", given)
    if not set(told) <= set(Certificate.model_fields):
        raise WrongAnswers([Wrong(where, "unknown")])
    read: dict[str, Any] = {
        name: _one_of(labels()[codes], told.get(name), f"{where}.{name}") for name, codes in _CODES_OF_A_CERTIFICATE
    }
    until, exempt = told.get("valid_until"), told.get("fee_exempt")
    if until is not None:
        read["valid_until"] = _day(until, f"{where}.valid_until")
    if not isinstance(exempt, bool | None):
        raise WrongAnswers([Wrong(f"{where}.fee_exempt", "truth")])
    return read | {"fee_exempt": exempt or False}


_CODES_OF_A_CERTIFICATE: Final = (
    ("scheme", CourseScheme.__name__),
    ("kind", CertificateKind.__name__),
    ("issuer", CertificateIssuer.__name__),
)


def _day(given: object, where: str) -> str:
    try:
        return date.fromisoformat(given if isinstance(given, str) else "").isoformat()
    except ValueError:
        raise WrongAnswers([Wrong(where, "date")]) from None


def _entries(question: Question, given: object) -> Iterator[tuple[str, object]]:
    if not isinstance(given, list):
        raise WrongAnswers([Wrong(question.id, "list")])
    entries = cast("list[object]", given)
    if len(entries) > MOST_ENTRIES:
        raise WrongAnswers([Wrong(question.id, "too-many", {"max_length": MOST_ENTRIES})])
    for position, entry in enumerate(entries):
        yield f"{question.id}.{position}", entry


def _one_of(options: Mapping[str, Label], given: object, where: str) -> str:
    if not isinstance(given, str) or given not in options:
        raise WrongAnswers([Wrong(where, "choice", {"expected": ", ".join(options)})])
    return given


def _whole_number(given: object, where: str, highest: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool):
        raise WrongAnswers([Wrong(where, "whole-number")])
    if given < 0:
        raise WrongAnswers([Wrong(where, "at-least", {"ge": 0})])
    if given > highest:
        raise WrongAnswers([Wrong(where, "at-most", {"le": highest})])
    return given


_READERS: Final[Mapping[AnswerKind, Callable[[Question, Any], Any]]] = {
    AnswerKind.CODE: _code,
    AnswerKind.CODES: _codes,
    AnswerKind.LEVELS: _levels,
    AnswerKind.YES_NO: _yes_no,
    AnswerKind.NUMBER: _number,
    AnswerKind.AGES: _ages,
    AnswerKind.LANGUAGES: _languages,
    AnswerKind.CERTIFICATES: _certificates,
}
