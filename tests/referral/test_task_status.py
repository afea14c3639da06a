"""Each state is told as a task that everybody understands, and the documentation says what the code says."""

from __future__ import annotations

from pathlib import Path

import services.referral
from schemas.codes import BusinessStatus, TaskStatus
from services.referral.referrals import LIVE, ReferralState
from services.referral.task_status import TOLD, status_lines
from services.referral.transitions import table_lines

PAGE = (Path(services.referral.__file__).parents[2] / "docs" / "architecture" / "referral.md").read_text("utf-8")

OVER = {TaskStatus.REJECTED, TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED}


def test_each_state_is_told_and_each_business_status_is_of_one_state() -> None:
    assert set(TOLD) == set(ReferralState)
    assert sorted(told.business for told in TOLD.values()) == sorted(BusinessStatus)
    assert {told.task for told in TOLD.values()} == set(TaskStatus)


def test_a_task_is_over_exactly_when_the_referral_has_ended() -> None:
    assert {state for state, told in TOLD.items() if told.task not in OVER} == set(LIVE)


def test_no_business_status_repeats_a_task_status() -> None:
    assert not {*map(str, BusinessStatus)} & {*map(str, TaskStatus)}


def test_the_documentation_has_the_table_of_steps_and_the_table_of_states() -> None:
    for lines in (list(table_lines()), status_lines()):
        assert "\n".join(lines) in PAGE
