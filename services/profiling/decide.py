"""The rules of profiling: what follows from an event of another service, and what a counsellor may do.

Nothing is told to others about a case that has not arrived: a sheet that comes early waits, and is recorded in the moment in which the
case can be worked on. When the transfer consent or the residence ends, so does the work: open needs are withdrawn. Everything about
an erased case is ignored, except that a person who asks is told so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.codes import Purpose, ServiceKind
from schemas.ends import level_of
from schemas.events import (
    AccessNeedsTold,
    AppointmentBooked,
    AppointmentReleased,
    NeedConfirmed,
    NeedWaiting,
    NeedWithdrawn,
    PersonErased,
    ProfileRecorded,
    ReferralCompleted,
    ReferralStep,
)
from services.profiling.answers import Answers
from services.profiling.chain import follows, with_certificate
from services.profiling.commands import (
    Add,
    Confirm,
    ConfirmNeeds,
    Drop,
    NeedDecision,
    ProfilingCommand,
    RecordProfile,
    Standing,
    WithdrawNeed,
)
from services.profiling.evolve import (
    NeedDropped,
    NeedKept,
    NeedsReconciled,
    NeedSuggested,
    SheetKept,
    SheetsExpired,
    SheetsTaken,
    WorkEnded,
    evolve,
    open_needs,
)
from services.profiling.guideline import guideline
from services.profiling.model import Case, Obstacle, ProfileVersion, Sheet
from services.profiling.needs import Need, NeedState, added, derive, reconcile, suggested
from services.profiling.situation import age_at
from services.runtime.deciding import Command, Decision, Forget, Message, Received, States, Subject
from services.runtime.errors import Refused


@dataclass(frozen=True, slots=True)
class KeepVersion:
    """Effect: a version of the profile joins the others of its case, for good."""

    case: str
    version: ProfileVersion


@dataclass(frozen=True, slots=True)
class ForgetVersions:
    """Effect: all versions of an erased case go; there were this many."""

    case: str
    versions: int


@dataclass(slots=True)
class _Course:
    """What happens to one case in one decision. Each fact changes the case at once, so that what follows sees it."""

    case: Case
    now: datetime
    facts: list[tuple[Subject, object]] = field(default_factory=list[tuple[Subject, object]])
    effects: list[object] = field(default_factory=list[object])

    def happens(self, fact: object) -> None:
        self.facts.append((self.case.subject, fact))
        self.case = evolve(self.case, fact, self.now)

    def decision(self, *, answered: bool = False) -> Decision:
        return Decision(self.facts, self.effects, Standing.of(self.case) if answered else None)


def names(message: Message, _: States) -> Iterable[Subject]:
    """Every decision is about one case."""
    if isinstance(message, Received):
        yield message.envelope.subject
    elif isinstance(message, Command):
        yield Subject(Case.KIND, _command(message).case)
    else:
        yield message.subject


def decide(message: Message, states: States, now: datetime) -> Decision:
    """What follows from a message. Raises `Refused`."""
    if isinstance(message, Received):
        return _heard(states.get(Case, message.envelope.subject.id), message.data, now)
    if isinstance(message, Command):
        return _asked(message, states, now)
    return _due(states.get(Case, message.subject.id), now)


def _due(case: Case, now: datetime) -> Decision:
    """Whoever wrote a sheet whose case does not arrive finds it on the worklist, and when its days are over, that it was lost."""
    due_at = case.due_at()
    return Decision([(case.subject, SheetsExpired())]) if due_at is not None and due_at <= now else Decision()


# --- events of other services -------------------------------------------------------------------------------------------


def _heard(case: Case, event: object, now: datetime) -> Decision:
    if case.erased:
        return Decision()
    course = _Course(case, now)
    course.happens(event)
    match event:
        case PersonErased():
            versions = case.profile.version if case.profile else 0
            course.effects += [ForgetVersions(case.id, versions), Forget(case.subject)]
        case ReferralCompleted():
            _completed(course, event)
        case AppointmentBooked() | AppointmentReleased() | ReferralStep() | NeedWaiting():
            pass
        case _:
            _facts_changed(course)
    return course.decision()


def _facts_changed(course: _Course) -> None:
    """Facts or consents are other than before: work can begin, goes on by the new facts, or ends."""
    case = course.case
    if case.obstacle is None:
        if case.waiting:
            course.happens(SheetsTaken())
            for sheet in case.waiting:
                _record(course, sheet)
        else:
            _derive(course)
    elif case.obstacle is not Obstacle.NOT_ARRIVED and (open_needs(case) or case.waiting):
        course.happens(WorkEnded())
        for need in case.plan:
            if need.id in open_needs(case):
                course.happens(NeedWithdrawn(need=need.id))
    _tell_access_needs(course)


def _tell_access_needs(course: _Course) -> None:
    """What the person needs to take part says something of their health: it is told while they consent to that, and taken back after."""
    case = course.case
    may_be_told = case.obstacle is None and Purpose.ACCESSIBILITY in case.consents
    answers = Answers.of(case.profile.answers) if case.profile is not None and may_be_told else Answers()
    needs = answers.access_needs or ()
    if needs != case.access_needs_told:
        course.happens(AccessNeedsTold(needs=needs))


def _completed(course: _Course, event: ReferralCompleted) -> None:
    """A level that was certified enters the profile, and what usually follows is suggested. Nothing is sought for it yet."""
    case = course.case
    if case.obstacle is not None:
        return
    if (
        case.profile is not None
        and (answers := with_certificate(case.profile.answers, event.outcome, event.skills)) is not None
    ):
        by = case.steps[event.need].partner or "referral"
        _amend(course, case.profile.guideline, answers, by, course.now)
        _derive(course)
    if event.skills:
        return  # the level as a whole is still ahead: nothing follows from it yet
    rule = follows(event.kind, event.outcome)
    if rule is None or _is_open(course.case, rule.then):
        return
    level = level_of(event.outcome)
    params = {"level": level.upper()} if level is not None else {}
    course.happens(NeedSuggested(suggested(case.id, course.case.needs, rule, params)))


def _is_open(case: Case, kind: ServiceKind) -> bool:
    return any(need.kind is kind and need.id in open_needs(case) for need in case.needs)


# --- commands -----------------------------------------------------------------------------------------------------------


def _command(command: Command) -> ProfilingCommand:
    if not isinstance(command.data, RecordProfile | ConfirmNeeds | WithdrawNeed):
        raise TypeError(f"{type(command.data).__name__} is no command of profiling")
    return command.data


def _asked(command: Command, states: States, now: datetime) -> Decision:
    data = _command(command)
    course = _Course(states.get(Case, data.case), now)
    if not data.reach.covers(course.case.place):
        raise Refused("case-not-found", 404)
    match data:
        case RecordProfile():
            _record_or_keep(course, data, command.actor)
        case ConfirmNeeds():
            _workable(course.case)
            for one in data.decisions:
                _decide_upon(course, one)
        case WithdrawNeed():
            _workable(course.case)
            _withdraw(course, _known_need(course.case, data.need))
    return course.decision(answered=True)


def _workable(case: Case) -> None:
    if case.obstacle is not None:
        raise Refused(case.obstacle, 410 if case.erased else 409)


def _record_or_keep(course: _Course, data: RecordProfile, actor: str) -> None:
    sheet = Sheet(
        guideline=data.guideline,
        answers=data.answers,
        confirm_derived=data.confirm_derived,
        by=actor,
        at=course.now,
    )
    if course.case.obstacle is Obstacle.NOT_ARRIVED:
        course.happens(SheetKept(sheet))
        return
    _workable(course.case)
    version = course.case.profile.version if course.case.profile else 0
    if data.based_on not in (None, version):
        raise Refused("profile-changed-meanwhile", version=version)
    _record(course, sheet)


def _record(course: _Course, sheet: Sheet) -> None:
    """A new version, unless nothing is new; the needs that follow from it; and, if the sheet says so, their confirmation."""
    before = course.case.profile
    if before is None or (before.guideline, before.answers) != (sheet.guideline, sheet.answers):
        _amend(course, sheet.guideline, sheet.answers, sheet.by, sheet.at)
    _derive(course)
    if sheet.confirm_derived:
        for need in course.case.needs:
            if need.state is NeedState.DERIVED:
                _confirm(course, need)


def _amend(course: _Course, asked_by: str, answers: Mapping[str, Any], by: str, at: datetime) -> None:
    """A new version of the profile, by the guideline of this version."""
    before = course.case.profile
    version = ProfileVersion(
        version=before.version + 1 if before else 1,
        guideline=asked_by,
        complete=not guideline(asked_by).missing(answers, age_at(course.case.facts, at)),
        answers=answers,
        recorded_by=by,
        recorded_at=at,
    )
    course.happens(version)
    course.happens(_recorded(version))
    course.effects.append(KeepVersion(course.case.id, version))
    _tell_access_needs(course)


def _recorded(version: ProfileVersion) -> ProfileRecorded:
    answers = Answers.of(version.answers)
    return ProfileRecorded(
        version=version.version,
        complete=version.complete,
        german=answers.german,
        benefit_regime=answers.benefit_regime,
        available=answers.available or (),
        child_care_ages=answers.child_care_ages,
        literacy=answers.read_and_written,
        rotating_shifts=bool(answers.rotating_shifts),
        certificates=answers.certificates,
        self_payer=bool(answers.self_payer),
    )


def _derive(course: _Course) -> None:
    """Ask the rules again. They judge the day on which the person was talked to, so that it does not matter when facts came in."""
    case = course.case
    if case.profile is None or case.facts is None:
        return
    derived = derive(Answers.of(case.profile.answers), case.facts, case.profile.recorded_at)
    needs = reconcile(case.id, case.needs, case.steps, derived)
    if needs != case.needs:
        course.happens(NeedsReconciled(needs))


def _decide_upon(course: _Course, one: NeedDecision) -> None:
    match one:
        case Confirm():
            _confirm(course, _known_need(course.case, one.need), urgent=one.urgent)
        case Drop():
            _drop(course, _known_need(course.case, one.need))
        case Add():
            _add(course, one)


def _known_need(case: Case, id: str) -> Need:
    need = case.need(id)
    if need is None:
        raise Refused("need-not-found", 404)
    return need


def _confirm(course: _Course, need: Need, *, urgent: bool | None = None) -> None:
    if need.state is NeedState.WITHDRAWN:
        raise Refused("need-withdrawn")
    if need.in_doubt:
        course.happens(NeedKept(need.id))
    if need.state is not NeedState.CONFIRMED or _rests(course.case, need):
        urgent = need.urgent if urgent is None else urgent
        course.happens(NeedConfirmed(need=need.id, kind=need.kind, urgent=urgent))


def _rests(case: Case, need: Need) -> bool:
    step = case.steps.get(need.id)
    return step is not None and step.rests


def _drop(course: _Course, need: Need) -> None:
    if need.state is NeedState.CONFIRMED:
        raise Refused("need-confirmed")
    if need.state in (NeedState.DERIVED, NeedState.SUGGESTED):
        course.happens(NeedDropped(need.id))


def _add(course: _Course, addition: Add) -> None:
    case = course.case
    same = [need for need in case.needs if need.kind is addition.kind and need.id in open_needs(case)]
    confirmed = [need for need in same if need.state is NeedState.CONFIRMED]
    known = next(iter(confirmed or same), None)
    need = known or added(case.id, case.needs, addition.kind, urgent=addition.urgent)
    _confirm(course, need, urgent=addition.urgent or need.urgent)


def _withdraw(course: _Course, need: Need) -> None:
    if need.state in (NeedState.DERIVED, NeedState.SUGGESTED, NeedState.DROPPED):
        raise Refused("need-not-confirmed")
    if need.state is NeedState.CONFIRMED:
        course.happens(NeedWithdrawn(need=need.id))
