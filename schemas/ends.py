"""How a referral may end: which outcomes a kind of service can have, and in whom or what a reason lies.

`completed` always names an outcome out of the list of its kind; whatever ends otherwise names a reason (HL7 Gravity SDOH Clinical Care:
no completion without what came of it, no rejection or failure without a coded reason). domain.md 3.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemas.codes import (
    CancelReason,
    Cefr,
    DeclineReason,
    FailReason,
    Outcome,
    ReasonGroup,
    RejectReason,
    ServiceKind,
)

Reason = RejectReason | DeclineReason | FailReason | CancelReason

_LEVELS: Final[Mapping[Outcome, Cefr]] = {
    Outcome.LEVEL_A1: Cefr.A1,
    Outcome.LEVEL_A2: Cefr.A2,
    Outcome.LEVEL_B1: Cefr.B1,
    Outcome.LEVEL_B2: Cefr.B2,
    Outcome.LEVEL_C1: Cefr.C1,
}

_TO_B1: Final = (Outcome.LEVEL_A1, Outcome.LEVEL_A2, Outcome.LEVEL_B1, Outcome.ATTENDED)
"""An integration course leads to B1; who does not reach it may still have A2 certified by the same examination."""
_ADVICE: Final = (Outcome.ADVICE_GIVEN, Outcome.APPLIED, Outcome.PASSED_ON)
_SUPPORT: Final = (Outcome.SUPPORT_GIVEN, Outcome.PASSED_ON)
_WORK: Final = (Outcome.WORK_FOUND, Outcome.TRAINING_FOUND, Outcome.ADVICE_GIVEN, Outcome.PASSED_ON)
_RECOGNITION: Final = (Outcome.FULLY_RECOGNISED, Outcome.PARTLY_RECOGNISED, Outcome.NOT_RECOGNISED)
_PLACE: Final = (Outcome.PLACE_FOUND, *_ADVICE)

OUTCOMES: Final[Mapping[ServiceKind, tuple[Outcome, ...]]] = {
    ServiceKind.INTEGRATION_COURSE_GENERAL: _TO_B1,
    ServiceKind.INTEGRATION_COURSE_LITERACY: _TO_B1,
    ServiceKind.INTEGRATION_COURSE_PARENTS: _TO_B1,
    ServiceKind.INTEGRATION_COURSE_YOUTH: _TO_B1,
    ServiceKind.INTEGRATION_COURSE_SECOND_SCRIPT: _TO_B1,
    ServiceKind.GERMAN_COURSE_OTHER: (*_LEVELS, Outcome.ATTENDED),
    ServiceKind.VOCATIONAL_GERMAN: (Outcome.LEVEL_B1, Outcome.LEVEL_B2, Outcome.LEVEL_C1, Outcome.ATTENDED),
    ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE: _TO_B1,
    ServiceKind.MOTHER_TONGUE_COURSE: (Outcome.ATTENDED,),
    ServiceKind.CHILD_LANGUAGE_SUPPORT: (Outcome.ATTENDED,),
    ServiceKind.CHILD_CARE_PLACE: (Outcome.PLACE_FOUND,),
    ServiceKind.SCHOOL_COUNSELLING: (*_PLACE, Outcome.TRAINING_FOUND),
    ServiceKind.INTERNSHIP_AND_TRAINING: (Outcome.ATTENDED, Outcome.WORK_FOUND, Outcome.TRAINING_FOUND),
    ServiceKind.RECOGNITION_COUNSELLING: (*_RECOGNITION, *_ADVICE),
    ServiceKind.ADAPTATION_TRAINING: (Outcome.FULLY_RECOGNISED, Outcome.ATTENDED),
    ServiceKind.COMPETENCE_ASSESSMENT: (Outcome.COMPETENCES_ASSESSED,),
    ServiceKind.FURTHER_TRAINING_ADVICE: (Outcome.TRAINING_FOUND, *_ADVICE),
    ServiceKind.JOB_PLACEMENT: _WORK,
    ServiceKind.SKILLED_WORKER_OFFICE: _WORK,
    ServiceKind.CHARITABLE_WORK: (Outcome.ATTENDED, Outcome.WORK_FOUND, Outcome.TRAINING_FOUND),
    ServiceKind.MIGRATION_COUNSELLING: _ADVICE,
    ServiceKind.YOUTH_MIGRATION_SERVICE: (*_ADVICE, Outcome.TRAINING_FOUND),
    ServiceKind.UNACCOMPANIED_MINORS: _SUPPORT,
    ServiceKind.LOTSE: _SUPPORT,
    ServiceKind.INTERPRETER: (Outcome.SUPPORT_GIVEN,),
    ServiceKind.FAMILY_CENTRE: (*_SUPPORT, Outcome.ADVICE_GIVEN),
    ServiceKind.HOME_VISIT: (*_SUPPORT, Outcome.ADVICE_GIVEN),
    ServiceKind.PSYCHOSOCIAL_CARE: (*_SUPPORT, Outcome.ADVICE_GIVEN),
    ServiceKind.HEALTH_NAVIGATION: _ADVICE,
    ServiceKind.HOUSING: _PLACE,
    ServiceKind.ASSOCIATIONS_AND_VOLUNTEERING: _PLACE,
    ServiceKind.NATURALISATION_ADVICE: _ADVICE,
}
"""What can come of each kind of service."""

CALLED_OFF: Final = frozenset(
    {
        CancelReason.PROVIDER_CANCELLED,
        CancelReason.PERSON_WISH,
        CancelReason.PERSON_NOT_REACHED,
        CancelReason.LOGISTICS_TIME,
        CancelReason.LOGISTICS_DISTANCE,
        CancelReason.LOGISTICS_CHILD_CARE,
    }
)
"""The reasons that people give; the other cancellations follow from what happened elsewhere."""

_GROUPS: Final[Mapping[Reason, ReasonGroup]] = {
    RejectReason.OFFER_UNSUITABLE: ReasonGroup.PROVIDER,
    RejectReason.TIME_UNSUITABLE: ReasonGroup.LOGISTICS,
    RejectReason.PLACE_UNSUITABLE: ReasonGroup.LOGISTICS,
    CancelReason.CONSENT_WITHDRAWN: ReasonGroup.PERSON,
    CancelReason.NEED_WITHDRAWN: ReasonGroup.PERSON,
    CancelReason.OFFER_CLOSED: ReasonGroup.PROVIDER,
    CancelReason.SEAT_LOST: ReasonGroup.PROVIDER,
    CancelReason.COURSE_CANCELLED: ReasonGroup.PROVIDER,
    CancelReason.ANOTHER_CHOSEN: ReasonGroup.LOGISTICS,
}
"""Of the reasons that do not name their group themselves."""


def level_of(outcome: Outcome) -> Cefr | None:
    """The level of German that a certificate says; None for every other outcome."""
    return _LEVELS.get(outcome)


def group_of(reason: Reason) -> ReasonGroup:
    """In whom or what a reason lies: its first word says so, or the table."""
    group = _GROUPS.get(reason)
    return group if group is not None else ReasonGroup(reason.split("-", 1)[0])
