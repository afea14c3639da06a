"""Who may change a text, and what is remembered of it. Pure. Whoever writes names the revision they have seen (0: none yet); what somebody
else wrote meanwhile is not overwritten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.reporting.yearly.model import ReportText, Words, Written, text_id
from services.runtime.deciding import Command, Decision, State, States, Subject
from services.runtime.errors import Refused


class _Wish(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PutText(_Wish):
    """From now on this is the text of the section. Empty: there is none."""

    year: int
    section: str
    seen: int
    text: Words


class PutDone(BaseModel):
    """The answer: which revision it is now."""

    revision: int


class TextWritten(_Wish):
    """A fact."""

    year: int
    section: str
    text: Words
    by: str


WISHES: Final = (PutText,)
FACTS: Final = (TextWritten,)
STATES: Final = (ReportText,)


def names(command: Command, states: States) -> Iterable[Subject]:  # noqa: ARG001 - the shape of all rules
    return [_subject(command)]


def decide(command: Command, states: States, now: datetime) -> Decision:  # noqa: ARG001
    """Raises `Refused`."""
    data = _wish(command)
    subject = _subject(command)
    kept = states.known(ReportText, subject.id)
    revision = kept.revision if kept else 0
    if (kept.now if kept else "") == data.text:
        return Decision(answer=PutDone(revision=revision))
    if revision != data.seen:
        raise Refused("report-text-changed-meanwhile", members={"revision": revision})
    fact = TextWritten(year=data.year, section=data.section, text=data.text, by=command.actor)
    return Decision([(subject, fact)], answer=PutDone(revision=revision + 1))


def evolve(state: State, fact: object, at: datetime) -> State:
    if not isinstance(state, ReportText) or not isinstance(fact, TextWritten):
        raise TypeError(f"{type(fact).__name__} is no fact of a {type(state).__name__}")
    written = Written(at=at, by=fact.by, text=fact.text)
    return state.but(year=fact.year, section=fact.section, said=(*state.said, written))


def _wish(command: Command) -> PutText:
    if not isinstance(command.data, PutText):
        raise TypeError(f"{type(command.data).__name__} is no command about a report")
    return command.data


def _subject(command: Command) -> Subject:
    data = _wish(command)
    return Subject(ReportText.KIND, text_id(command.county, data.year, data.section))
