"""What a counsellor reads of a case: the talk, the profile, its needs with their reasons, and the plan, in the language asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from schemas.codes import Purpose, ServiceKind
from schemas.labels import label
from services.profiling.chain import CHAIN_BY_ID
from services.profiling.guideline import Guideline, guideline
from services.profiling.model import Appointment, Case, Place, ProfileVersion, Stage
from services.profiling.needs import Need, NeedState, Step, StepState, reason_key
from services.profiling.rules import RULES_BY_ID
from services.profiling.situation import Facts, age_at
from services.runtime.catalogue import Catalogue, Language


class ProfileView(BaseModel):
    """A version of the profile. `missing`: required questions that are still open."""

    version: int
    guideline: str
    complete: bool
    missing: list[str]
    answers: Mapping[str, Any]
    recorded_by: str
    recorded_at: datetime


class VersionLine(BaseModel):
    """A version in the list of all."""

    version: int
    guideline: str
    complete: bool
    recorded_by: str
    recorded_at: datetime


class NeedView(BaseModel):
    """A need, and why: in words, and by which rule and document."""

    need: str
    kind: ServiceKind
    title: str
    state: NeedState
    urgent: bool
    in_doubt: bool
    rule: str | None
    reason: str
    source: str | None


class StepView(BaseModel):
    """A step of the orientation plan."""

    position: int
    need: str
    kind: ServiceKind
    title: str
    state: StepState
    says: str
    since: datetime | None
    referral: str | None
    partner: str | None
    reason: str | None


class CaseView(BaseModel):
    """A whole case."""

    case: str
    stage: Stage
    place: Place | None
    facts: Facts | None
    consents: list[Purpose]
    appointment: Appointment | None
    profile: ProfileView | None
    versions: list[VersionLine]
    sheets: list[SheetView]
    needs: list[NeedView]
    plan: list[StepView]


class SheetView(BaseModel):
    """A sheet whose case has not arrived: it waits to the instant `kept_until`, or was lost at `dropped_at`, since nobody arrived."""

    guideline: str
    written_by: str
    written_at: datetime
    kept_until: datetime | None = None
    dropped_at: datetime | None = None


class WorkView(BaseModel):
    """A case in a worklist. `on_agenda` is what the list is ordered by; `to_decide` counts needs that wait for a word; `sheets` are those
    that came before the case."""

    case: str
    stage: Stage
    on_agenda: datetime
    place: Place | None
    appointment: Appointment | None
    version: int | None
    complete: bool
    to_decide: int
    sheets: list[SheetView]


class OptionView(BaseModel):
    """A code that may be answered."""

    code: str
    text: str


class QuestionView(BaseModel):
    """A question of the guideline."""

    id: str
    answer: str
    text: str
    required: bool
    from_age: int | None
    to_age: int | None
    highest: int | None
    options: list[OptionView]


class GuidelineView(BaseModel):
    """A guideline, in one language."""

    version: str
    valid_from: date
    questions: list[QuestionView]


def case_view(case: Case, versions: Sequence[ProfileVersion], catalogue: Catalogue, language: Language) -> CaseView:
    """A case with all versions of its profile."""
    return CaseView(
        case=case.id,
        stage=case.stage,
        place=case.place,
        facts=case.facts,
        consents=list(case.consents),
        appointment=case.appointment,
        profile=profile_view(case.profile, case.facts) if case.profile else None,
        versions=[VersionLine.model_validate(version, from_attributes=True) for version in versions],
        sheets=list(_sheets(case)),
        needs=[_need_view(need, catalogue, language) for need in case.needs],
        plan=[_step_view(need, case.steps.get(need.id, Step()), catalogue, language) for need in case.plan],
    )


def profile_view(version: ProfileVersion, facts: Facts | None) -> ProfileView:
    """A version with what it lacks. Questions are those that somebody of this age is asked."""
    missing = guideline(version.guideline).missing(version.answers, age_at(facts, version.recorded_at))
    return ProfileView(missing=list(missing), **version.model_dump())


def work_view(case: Case) -> WorkView:
    """A case of a worklist, which always has an instant on its agenda."""
    if case.on_agenda is None:
        raise ValueError("a case without anything on its agenda is in no worklist")
    return WorkView(
        case=case.id,
        stage=case.stage,
        on_agenda=case.on_agenda,
        place=case.place,
        appointment=case.appointment,
        version=case.profile.version if case.profile else None,
        complete=case.profile is not None and case.profile.complete,
        to_decide=sum(need.is_undecided for need in case.needs),
        sheets=list(_sheets(case)),
    )


def guideline_view(one: Guideline, language: Language) -> GuidelineView:
    """A guideline as it is read out."""
    questions = [
        QuestionView(
            id=question.id,
            answer=question.answer,
            text=question.text.de if language == "de" else question.text.en,
            required=question.required,
            from_age=question.from_age,
            to_age=question.to_age,
            highest=question.highest,
            options=[
                OptionView(code=code, text=words.de if language == "de" else words.en)
                for code, words in question.options.items()
            ],
        )
        for question in one.questions
    ]
    return GuidelineView(version=one.version, valid_from=one.valid_from, questions=questions)


def _sheets(case: Case) -> Iterator[SheetView]:
    for sheet in case.lost:
        yield SheetView(
            guideline=sheet.guideline, written_by=sheet.by, written_at=sheet.at, dropped_at=sheet.dropped_at
        )
    for sheet in case.waiting:
        yield SheetView(guideline=sheet.guideline, written_by=sheet.by, written_at=sheet.at, kept_until=sheet.until)


def _need_view(need: Need, catalogue: Catalogue, language: Language) -> NeedView:
    rule = RULES_BY_ID.get(need.rule or "") or CHAIN_BY_ID.get(need.rule or "")
    return NeedView(
        need=need.id,
        kind=need.kind,
        title=label(need.kind, language),
        state=need.state,
        urgent=need.urgent,
        in_doubt=need.in_doubt,
        rule=need.rule,
        reason=catalogue.text(language, reason_key(need.rule or "added"), need.params),
        source=rule.source if rule else None,
    )


def _step_view(need: Need, step: Step, catalogue: Catalogue, language: Language) -> StepView:
    return StepView(
        position=need.position or 0,
        need=need.id,
        kind=need.kind,
        title=label(need.kind, language),
        says=catalogue.text(
            language, f"waits.{step.reason}" if step.state is StepState.WAITING else f"step.{step.state}"
        ),
        **step.model_dump(),
    )
