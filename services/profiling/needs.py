"""Needs: derived by the rules, decided upon by the counsellor, followed through their referrals.

`derive` is the rules at work; `reconcile` holds their result against the needs that a case has already. A need's id follows from the case
and the rule (or the kind, where a counsellor added it), so that the same conclusion drawn twice is the same need; one that had been
confirmed and came to an end is followed, when it arises anew, by another with an id of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from schemas.codes import ServiceKind, WaitReason
from services.profiling.answers import Answers
from services.profiling.chain import ChainRule, is_of_chain
from services.profiling.rules import RULES, Rule
from services.profiling.situation import PRACTICE, Facts, Practice, Situation
from services.runtime.ids import child


class NeedState(StrEnum):
    """Where a need stands between rules and counsellor."""

    DERIVED = "derived"
    SUGGESTED = "suggested"
    """Follows by the chain from what was completed; the counsellor is to say whether it is sought."""
    CONFIRMED = "confirmed"
    DROPPED = "dropped"
    WITHDRAWN = "withdrawn"


class Ending(StrEnum):
    """Why a need was withdrawn."""

    RULE_NO_LONGER_HOLDS = "rule-no-longer-holds"
    COUNSELLOR = "counsellor"
    CASE_ENDED = "case-ended"


class StepState(StrEnum):
    """Where the step towards a confirmed need stands, by its referrals."""

    OPEN = "open"
    WAITING = "waiting"
    PROPOSED = "proposed"
    RELEASED = "released"
    AGREED = "agreed"
    ACCEPTED = "accepted"
    STARTED = "started"
    SEEKING = "seeking"
    """It came to nothing with one offer: the next best is tried."""
    REFUSED = "refused"
    """The person wants none of this kind, until the need is confirmed again."""
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


FINISHED: Final = frozenset({StepState.COMPLETED, StepState.FAILED})


class Step(BaseModel):
    """The last that was heard of a need's referral. `reason` is a code of the referral service."""

    model_config = ConfigDict(frozen=True)
    state: StepState = StepState.OPEN
    since: datetime | None = None
    referral: str | None = None
    partner: str | None = None
    reason: str | None = None

    @property
    def rests(self) -> bool:
        """Referral does nothing more by itself: whoever confirms the need again has it sought again."""
        return self.state is StepState.REFUSED or self.reason == WaitReason.ALL_TRIED


class Need(BaseModel):
    """One need of a case. `rule` is None where the counsellor added it; `params` fill the sentence of its reason.

    `position` is its place in the orientation plan, given when it was first confirmed. `in_doubt`: it is confirmed, but its rule
    no longer holds, and the counsellor is to look at it.
    """

    model_config = ConfigDict(frozen=True)
    id: str
    kind: ServiceKind
    rule: str | None
    params: Mapping[str, str | int] = {}
    urgent: bool = False
    state: NeedState
    position: int | None = None
    in_doubt: bool = False
    ending: Ending | None = None

    @property
    def is_undecided(self) -> bool:
        """It waits for the counsellor's word."""
        return self.state in (NeedState.DERIVED, NeedState.SUGGESTED) or self.in_doubt

    def but(self, **changes: object) -> Need:
        return self.model_copy(update=changes)


@dataclass(frozen=True, slots=True)
class DerivedNeed:
    """What a rule concludes. `reason_key` names the sentence in the catalogue, `params` fill it."""

    rule: str
    kind: ServiceKind
    reason_key: str
    params: Mapping[str, str | int]
    urgent: bool


def derive(
    profile: Answers, facts: Facts, now: datetime, practice: Practice = PRACTICE, rules: Iterable[Rule] = RULES
) -> tuple[DerivedNeed, ...]:
    """Everything that the rules conclude of one person, in the order of the rules."""
    situation = Situation.at(profile, facts, now, practice)
    concluded = ((rule, rule.holds(situation)) for rule in rules)
    return tuple(
        DerivedNeed(rule.id, rule.kind, reason_key(rule.id), params, rule.urgent)
        for rule, params in concluded
        if params is not None
    )


def reason_key(rule: str) -> str:
    return f"reason.{rule}"


def reconcile(
    case: str, needs: Sequence[Need], steps: Mapping[str, Step], derived: Sequence[DerivedNeed]
) -> tuple[Need, ...]:
    """The needs of a case after its rules were asked again.

    What was confirmed stays confirmed: it is put in doubt when its rule no longer holds. What was only derived goes when its rule goes,
    and comes back with it. What a counsellor dropped or withdrew is not proposed by the same rule again, nor what has been finished.
    """
    concluded = {one.rule: one for one in derived}
    kept = tuple(_asked_again(need, concluded.get(need.rule or ""), steps) for need in needs)
    for one in derived:
        if not any(_answers(need, one, steps) for need in kept):
            kept = (*kept, _new(case, kept, one.kind, one.rule, params=one.params, urgent=one.urgent))
    return kept


def added(case: str, needs: Sequence[Need], kind: ServiceKind, *, urgent: bool) -> Need:
    """A need that the counsellor adds, still to be confirmed."""
    return _new(case, needs, kind, None, params={}, urgent=urgent)


def suggested(case: str, needs: Sequence[Need], rule: ChainRule, params: Mapping[str, str | int]) -> Need:
    """A need that follows by the chain from what was completed."""
    need = _new(case, needs, rule.then, rule.id, params=params, urgent=False)
    return need.but(state=NeedState.SUGGESTED)


def is_finished(need: Need, steps: Mapping[str, Step]) -> bool:
    step = steps.get(need.id)
    return step is not None and step.state in FINISHED


def _asked_again(need: Need, concluded: DerivedNeed | None, steps: Mapping[str, Step]) -> Need:
    if need.rule is None or is_of_chain(need.rule) or is_finished(need, steps):
        return need
    if need.state is NeedState.CONFIRMED:
        return need.but(in_doubt=concluded is None)
    if need.state is NeedState.DERIVED and concluded is None:
        return need.but(state=NeedState.WITHDRAWN, ending=Ending.RULE_NO_LONGER_HOLDS)
    never_confirmed = need.position is None and need.state in (NeedState.DERIVED, NeedState.WITHDRAWN)
    if concluded is not None and never_confirmed:
        return need.but(state=NeedState.DERIVED, params=concluded.params, urgent=concluded.urgent, ending=None)
    return need


def _answers(need: Need, one: DerivedNeed, steps: Mapping[str, Step]) -> bool:
    """Whether a need that the case has already makes a new one for this conclusion needless."""
    if need.rule == one.rule:
        return not (need.state is NeedState.WITHDRAWN and need.ending is Ending.CASE_ENDED)
    if need.kind is not one.kind or is_finished(need, steps):
        return False
    added = need.rule is None and need.state is NeedState.CONFIRMED
    return added or (is_of_chain(need.rule) and need.state in (NeedState.SUGGESTED, NeedState.CONFIRMED))


def _new(
    case: str,
    needs: Sequence[Need],
    kind: ServiceKind,
    rule: str | None,
    *,
    params: Mapping[str, str | int],
    urgent: bool,
) -> Need:
    first, taken = f"{rule or 'counsellor'}/{kind}", {need.id for need in needs}
    ids = (child(case, first if number == 1 else f"{first}/{number}") for number in range(1, len(needs) + 2))
    id = next(id for id in ids if id not in taken)  # also not that of one whose rule the counsellor has set aside
    return Need(id=id, kind=kind, rule=rule, params=params, urgent=urgent, state=NeedState.DERIVED)
