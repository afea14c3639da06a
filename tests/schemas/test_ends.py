"""Every end of a referral says in whom or what it lies, or what was reached."""

from __future__ import annotations

import pytest

from schemas.codes import CEFR_ORDER, CancelReason, DeclineReason, FailReason, Outcome, ReasonGroup, RejectReason
from schemas.ends import CALLED_OFF, OUTCOMES, Reason, group_of, level_of

REASONS: list[Reason] = [*RejectReason, *DeclineReason, *FailReason, *CancelReason]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_lies_with_the_provider_the_person_or_in_logistics(reason: Reason) -> None:
    assert group_of(reason) in ReasonGroup


@pytest.mark.parametrize("reasons", [DeclineReason, FailReason, CALLED_OFF])
def test_whoever_says_why_can_name_each_of_the_three(reasons: frozenset[Reason]) -> None:
    assert {group_of(reason) for reason in reasons} == set(ReasonGroup)


def test_a_code_that_several_lists_have_lies_in_the_same_in_each_of_them() -> None:
    groups = {(str(reason), group_of(reason)) for reason in REASONS}
    assert len(groups) == len({str(reason) for reason in REASONS})


def test_only_certificates_say_a_level_and_they_lie_in_the_order_of_the_levels() -> None:
    levels = [level for outcome in Outcome if (level := level_of(outcome)) is not None]
    assert levels == sorted(levels, key=CEFR_ORDER.__getitem__)
    assert len(levels) == 5
    assert level_of(Outcome.ATTENDED) is None


def test_no_kind_of_service_names_an_outcome_twice() -> None:
    assert all(len(set(outcomes)) == len(outcomes) for outcomes in OUTCOMES.values())
