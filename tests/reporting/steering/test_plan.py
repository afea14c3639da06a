"""The action plan: what is taken over, what may be said, what is remembered, and when a goal is reached."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.reporting.steering.attainment import Attainment, attainment
from services.reporting.steering.keeping import PutField, PutGoal, PutMeasure, PutReporting, TakeOver
from services.reporting.steering.model import (
    ActionField,
    FieldTerms,
    Goal,
    GoalTerms,
    Light,
    Measure,
    MeasureTerms,
    Reporting,
    ReportTerms,
    Standing,
    Target,
    reporting_id,
)
from services.reporting.steering.plans import PLANS
from services.reporting.steering.report import history
from services.runtime.errors import Refused
from tests.reporting.county import COUNTY, id_of
from tests.reporting.deciding import NOW, Desk

FIELD, GOAL, MEASURE = id_of("field"), id_of("goal"), id_of("measure")
TARGET = Target(indicator="26.1", direction="at-most", value="8", year=2020)


def planned(**more: object) -> MeasureTerms:
    return MeasureTerms.model_validate({"goal": GOAL, "text": "Einen Kurs eröffnen", **more})


@pytest.fixture
def desk() -> Desk:
    """A plan with a field, a goal and a measure."""
    desk = Desk()
    desk.wish(PutField(id=FIELD, seen=0, terms=FieldTerms(name="Sprache")))
    desk.wish(PutGoal(id=GOAL, seen=0, terms=GoalTerms(field=FIELD, text="Deutsch lernen")))
    desk.wish(PutMeasure(id=MEASURE, seen=0, terms=planned()))
    return desk


@pytest.mark.parametrize(
    ("plan", "fields", "goals", "measures"),
    [("osnabrueck-2014", 8, 61, 109), ("osnabrueck-2017", 9, 0, 0), ("heidekreis-2017", 6, 22, 0)],
)
def test_what_the_documents_publish_can_be_taken_over(plan: str, fields: int, goals: int, measures: int) -> None:
    desk = Desk(PLANS[plan].county)

    answer = desk.wish(TakeOver(plan=plan))

    assert (answer.fields, answer.goals, answer.measures) == (fields, goals, measures)
    assert all(one.now.source for one in desk.all(ActionField))


def test_no_target_and_no_light_is_invented_for_a_published_plan() -> None:
    desk = Desk()
    desk.wish(TakeOver(plan="osnabrueck-2014"))

    assert {goal.now.target for goal in desk.all(Goal)} == {None}
    assert {(one.now.light, one.now.standing) for one in desk.all(Measure)} == {(Light.NONE, Standing.PLANNED)}


def test_taking_over_again_leaves_what_the_county_has_changed_meanwhile() -> None:
    desk = Desk()
    desk.wish(TakeOver(plan="osnabrueck-2014"))
    one = desk.all(Measure)[0]
    desk.wish(PutMeasure(id=one.id, seen=1, terms=one.now.model_copy(update={"standing": Standing.DONE})))

    again = desk.wish(TakeOver(plan="osnabrueck-2014"))

    assert (again.fields, again.goals, again.measures) == (0, 0, 0)
    assert desk.get(Measure, one.id).now.standing is Standing.DONE


def test_a_plan_of_another_county_cannot_be_taken_over() -> None:
    with pytest.raises(Refused, match="steering-plan-unknown"):
        Desk(COUNTY).wish(TakeOver(plan="heidekreis-2017"))


@pytest.mark.parametrize("light", [Light.YELLOW, Light.RED])
def test_a_light_that_is_not_green_must_be_explained(desk: Desk, light: Light) -> None:
    with pytest.raises(Refused, match="steering-light-unexplained"):
        desk.wish(PutMeasure(id=MEASURE, seen=1, terms=planned(light=light, explanation="  ")))

    desk.wish(PutMeasure(id=MEASURE, seen=1, terms=planned(light=light, explanation="Es fehlt ein Raum.")))

    assert desk.get(Measure, MEASURE).now.light is light


def test_green_explains_itself(desk: Desk) -> None:
    assert desk.wish(PutMeasure(id=MEASURE, seen=1, terms=planned(light=Light.GREEN))).revision == 2


def test_a_measure_that_is_stopped_says_why(desk: Desk) -> None:
    with pytest.raises(Refused, match="steering-stop-unexplained"):
        desk.wish(PutMeasure(id=MEASURE, seen=1, terms=planned(standing=Standing.STOPPED)))


@pytest.mark.parametrize(
    ("begins", "ends", "fits"),
    [
        ("2018-Q1", "2018-Q1", True),
        ("2018-Q2", "2018-Q1", False),
        ("2018", "2018-Q1", True),
        ("2018-Q4", "2018", True),
        ("2019", "2018", False),
    ],
)
def test_a_measure_ends_no_earlier_than_it_begins(desk: Desk, begins: str, ends: str, fits: bool) -> None:
    wish = PutMeasure(id=MEASURE, seen=1, terms=planned(begins=begins, ends=ends))
    if fits:
        assert desk.wish(wish).revision == 2
    else:
        with pytest.raises(Refused, match="steering-ends-before-it-begins"):
            desk.wish(wish)


def test_whoever_saw_an_older_revision_does_not_overwrite_the_newer_one(desk: Desk) -> None:
    desk.wish(PutMeasure(id=MEASURE, seen=1, terms=planned(standing=Standing.RUNNING)))

    with pytest.raises(Refused, match="steering-changed-meanwhile") as refused:
        desk.wish(PutMeasure(id=MEASURE, seen=1, terms=planned(standing=Standing.DONE)))

    assert refused.value.members == {"revision": 2}
    assert desk.get(Measure, MEASURE).now.standing is Standing.RUNNING


def test_saying_the_same_again_is_no_change(desk: Desk) -> None:
    assert desk.wish(PutMeasure(id=MEASURE, seen=1, terms=planned())).revision == 1


def test_the_history_says_who_changed_what_and_when_and_keeps_what_was_there(desk: Desk) -> None:
    desk.now = NOW + timedelta(days=90)
    terms = planned(standing=Standing.RUNNING, bodies=("VHS",))
    desk.wish(PutMeasure(id=MEASURE, seen=1, terms=terms), "coordinator-2")

    latest, first = history(desk.get(Measure, MEASURE))

    assert (latest.by, latest.at, latest.changed) == (
        "coordinator-2",
        NOW + timedelta(days=90),
        {"bodies": ["VHS"], "standing": "running"},
    )
    assert (first.by, first.at, first.changed["text"]) == ("coordinator-1", NOW, "Einen Kurs eröffnen")


def test_a_goal_belongs_to_a_field_and_a_measure_to_a_goal(desk: Desk) -> None:
    nowhere = id_of("nowhere")
    with pytest.raises(Refused, match="steering-field-unknown"):
        desk.wish(PutGoal(id=id_of("b"), seen=0, terms=GoalTerms(field=nowhere, text="Ziel")))
    with pytest.raises(Refused, match="steering-goal-unknown"):
        desk.wish(PutMeasure(id=id_of("b"), seen=0, terms=planned(goal=nowhere)))


def test_a_target_is_measured_by_one_of_the_indicators(desk: Desk) -> None:
    wrong = TARGET.model_copy(update={"indicator": "31"})
    with pytest.raises(Refused, match="steering-indicator-unknown"):
        desk.wish(PutGoal(id=GOAL, seen=1, terms=GoalTerms(field=FIELD, text="Deutsch lernen", target=wrong)))


def test_the_recipients_of_reports_are_bodies_and_no_addresses() -> None:
    with pytest.raises(ValidationError):
        ReportTerms(recipients=("jemand@example.org",))


def test_rhythm_and_recipients_are_unset_until_the_county_sets_them(desk: Desk) -> None:
    assert Reporting(id=reporting_id(COUNTY)).now == ReportTerms()

    desk.wish(PutReporting(seen=0, terms=ReportTerms(every_months=6, recipients=("Koordinierungsgruppe",))))

    assert desk.get(Reporting, reporting_id(COUNTY)).now.every_months == 6


@pytest.mark.parametrize(
    ("figures", "stands"),
    [
        ({}, Attainment("no-figure")),
        ({2018: None}, Attainment("no-figure")),
        ({2021: "1"}, Attainment("no-figure")),
        ({2018: "12", 2019: "9.5"}, Attainment("not-there-yet", "9.5", 2019)),
        ({2019: "7.9"}, Attainment("on-the-way", "7.9", 2019)),
        ({2019: "7.9", 2020: None}, Attainment("on-the-way", "7.9", 2019)),
        ({2020: "8"}, Attainment("reached", "8", 2020)),
        ({2019: "7", 2020: "8.1", 2021: "5"}, Attainment("missed", "8.1", 2020)),
    ],
)
def test_a_goal_is_reached_by_the_figure_of_its_year(figures: dict[int, str | None], stands: Attainment) -> None:
    assert attainment(TARGET, figures) == stands


def test_a_target_of_at_least_is_reached_from_its_value_on() -> None:
    target = TARGET.model_copy(update={"direction": "at-least"})

    assert attainment(target, {2020: "8"}).standing == "reached"
    assert attainment(target, {2020: "7.9"}).standing == "missed"


def test_without_a_target_there_is_nothing_to_reach() -> None:
    assert attainment(None, {2020: "8"}) == Attainment("no-target")
