"""A course's rows: what can be chosen for each participant, and what becomes of all that was chosen at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.codes import ServiceKind
from services.referral.locations import Locations
from services.referral.pages.possible import StepField, command, fields_of, missing, steps_at
from services.referral.pages.reading import Reading, Shown
from services.referral.pages.words import Words
from services.referral.transitions import StepKind
from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.outcomes import Outcome, Result
from services.runtime.pages import Form, Pages, Visitor
from services.runtime.problems import Problem, incident_id
from services.runtime.running import Running

ROW = "row-"
"""Before the referral's id, the name of a row's field."""


class Choice:
    """What can be chosen in one row: a step, with the code that it asks for. What else the step asks for is asked once for all rows."""

    def __init__(self, step: StepKind, code: str, asked: Sequence[StepField]) -> None:
        self.step = step
        self.code = code
        self.asked = tuple(asked)
        self.value = f"{step}:{code}" if code else str(step)

    def values(self, form: Form) -> dict[str, str]:
        """The fields of the step: the first choice comes from the row, the others from the fields for all."""
        coded = _coded(self.asked)
        shared = {one.name: form.one(f"all-{one.name}") for one in self.asked}
        return {**shared, coded.name: self.code} if coded is not None else shared


def _coded(asked: Sequence[StepField]) -> StepField | None:
    return next((one for one in asked if one.kind == "choice"), None)


def choices_of(one: Shown) -> list[Choice]:
    """What its partner can choose for this participant now."""
    found: list[Choice] = []
    for step in steps_at(one.line.state):
        asked = fields_of(step, one.line.kind)
        coded = _coded(asked)
        found += [Choice(step, code.value, asked) for code in coded.codes] if coded else [Choice(step, "", asked)]
    return found


def shared_fields(participants: Sequence[Shown]) -> list[StepField]:
    """What some step asks for besides its code, once for all rows."""
    found: dict[str, StepField] = {}
    for one in participants:
        for choice in choices_of(one):
            coded = _coded(choice.asked)
            found.update((field.name, field) for field in choice.asked if field is not coded)
    return list(found.values())


def words_of(choice: Choice, kind: ServiceKind, words: Words) -> str:
    """What a row's option says."""
    step = words.say(f"partner.step.{choice.step}")
    coded = _coded(fields_of(choice.step, kind))
    code = next((one for one in coded.codes if one.value == choice.code), None) if coded is not None else None
    return f"{step}: {words.label(code)}" if code is not None else step


@dataclass(frozen=True, slots=True)
class Settled:
    """How many rows were done, and the sentence for each that was not."""

    done: int
    wrong: Mapping[str, str]


class Rows:
    """Takes the steps of all rows of a form. One row hinders no other."""

    def __init__(self, running: Running, pages: Pages, reading: Reading, locations: Locations) -> None:
        self._running = running
        self._pages = pages
        self._reading = reading
        self._locations = locations

    async def settle(self, visitor: Visitor, form: Form, participants: Sequence[Shown]) -> Settled | None:
        """None when nothing was chosen in any row."""
        chosen = {name[len(ROW) :]: form.one(name) for name in form.fields if name.startswith(ROW) and form.one(name)}
        if not chosen:
            return None
        known = {one.line.referral: one for one in participants}
        wrong: dict[str, str] = {}
        commands: dict[str, Command] = {}
        for place, (row, value) in enumerate(sorted(chosen.items())):
            try:
                one = known.get(row) or await self._reading.one(visitor.signed_in, row)
                commands[row] = await self._command(visitor, form, one, value, place)
            except (Refused, Problem) as refused:
                wrong[row] = self._said(visitor, refused)
        outcomes = zip(commands, await self._running.send_all(list(commands.values())), strict=True)
        wrong |= {row: told for row, outcome in outcomes if (told := self._against(visitor, outcome))}
        return Settled(len(chosen) - len(wrong), wrong)

    async def _command(self, visitor: Visitor, form: Form, one: Shown, value: str, place: int) -> Command:
        actor, referral = visitor.signed_in, one.line.referral
        choice = _choice(one, value)
        values = choice.values(form)
        if lacking := missing(choice.asked, values):
            raise Refused(
                "row-incomplete", 422, what=self._pages.catalogue.text(visitor.language, next(iter(lacking.values())))
            )
        located = await self._locations.find(self._running.store(actor.county), [referral])
        data = command(actor, referral, choice.step, choice.asked, values, located.get(referral))
        return Command(actor.county, form.key, data, actor.subject, place=place)

    def _against(self, visitor: Visitor, outcome: Outcome) -> str:
        if outcome.result in (Result.APPLIED, Result.REPEATED):
            return ""
        if isinstance(outcome.error, Refused):
            return self._said(visitor, outcome.error)
        return self._said(visitor, Problem("internal", 500, incident=incident_id()))

    def _said(self, visitor: Visitor, refused: Refused | Problem) -> str:
        return self._pages.said(refused, visitor.language)[1]


def _choice(one: Shown, value: str) -> Choice:
    """What was chosen in a row. Whether it is possible now, the rules say. Raises `Refused`."""
    step, _, code = value.partition(":")
    if step not in set(StepKind):
        raise Refused("step-not-yours", 403)
    return Choice(StepKind(step), code, fields_of(StepKind(step), one.line.kind))
