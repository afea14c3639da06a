"""What a list is answered, item by item: what was done, and what was not with its reason in words."""

from __future__ import annotations

from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.errors import Refused
from services.runtime.items import item_outcome, nothing_new
from services.runtime.outcomes import Outcome, Result
from services.runtime.problems import FieldProblem, Problem

CATALOGUE = Catalogue(RUNTIME_MESSAGES)


def test_an_item_that_took_effect_says_how_things_stand_also_when_it_is_repeated() -> None:
    for result in (Result.APPLIED, Result.REPEATED):
        item = item_outcome("one", Outcome(result, answer=b'{"stage": "planned"}'), CATALOGUE, "en")
        assert (item.id, item.outcome, item.standing, item.problem) == ("one", "applied", {"stage": "planned"}, None)


def test_what_a_rule_or_the_door_refused_is_answered_alike_in_the_callers_language() -> None:
    refused = Refused("idempotency-key-reused", 422)
    by_a_rule = item_outcome("one", Outcome(Result.REFUSED, error=refused), CATALOGUE, "de")
    assert by_a_rule == item_outcome("one", refused, CATALOGUE, "de")
    assert by_a_rule == item_outcome("one", Problem(refused.code, refused.status), CATALOGUE, "de")
    assert by_a_rule.problem is not None
    assert (by_a_rule.outcome, by_a_rule.problem.status) == ("refused", 422)
    assert by_a_rule.problem.title == "Dieser Schlüssel gehört zu einer anderen Anfrage."


def test_wrong_fields_of_an_item_are_named_with_what_is_possible() -> None:
    wrong = Problem("invalid-fields", 422, fields=[FieldProblem("answers.school_years", "at-least", {"ge": 0})])
    problem = item_outcome("one", wrong, CATALOGUE, "en").problem
    assert problem is not None
    assert problem.errors == [{"field": "answers.school_years", "message": "The value must be at least 0."}]


def test_what_nobody_foresaw_is_an_incident_with_a_number_and_shows_nothing_of_the_error() -> None:
    item = item_outcome("one", Outcome(Result.FAILED, error=ZeroDivisionError("Amira")), CATALOGUE, "en")
    assert item.problem is not None
    assert (item.outcome, item.problem.code, item.problem.status) == ("failed", "internal", 500)
    assert "Amira" not in item.model_dump_json()


def test_a_list_is_a_repetition_when_something_was_done_before_and_nothing_now() -> None:
    applied, repeated, refused = Outcome(Result.APPLIED), Outcome(Result.REPEATED), Refused("not-found", 404)
    assert nothing_new([repeated, refused])
    assert not nothing_new([repeated, applied])
    assert not nothing_new([refused])
    assert not nothing_new([])
