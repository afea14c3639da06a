"""What is declared is what is counted, nothing less and nothing else."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from pydantic import ValidationError

from schemas.codes import FailReason, Outcome, ServiceKind, WaitReason, Way
from schemas.events import EventData
from schemas.topics import subscriptions
from services.reporting.consume import MEANINGS
from services.reporting.counting import DIMENSIONS, contributions
from services.reporting.model import (
    Appointment,
    Arrival,
    Count,
    Countable,
    Facts,
    Move,
    Need,
    Offer,
    Referral,
    Step,
    Wait,
)
from services.reporting.records import pseudonyms_of_this_process
from services.reporting.releases.codes import code_list
from services.reporting.sums import Row
from services.reporting.tables import DECLARED, EDITION, parse
from tests.reporting.county import BRAMSCHE, COUNTY, MELLE, id_of

DAY = date(2016, 3, 15)

CAME_OF_IT = {Step.COMPLETED: Outcome.SUPPORT_GIVEN, Step.FAILED: FailReason.PERSON_ILL}

FULL: tuple[Countable, ...] = (
    Facts(
        id=id_of("everything"),
        pseudonym="somebody",
        arrival=Arrival.model_validate(
            {
                "district": MELLE,
                "arrived_on": DAY,
                "origin": "germany",
                "in_germany_since": "2015-06-01",
                "citizenships": ["SY", "RO"],
                "birth_year": 1988,
                "sex": "female",
                "residence_group": "eu",
            }
        ),
        way=Way.OFFICE_API,
        moves=(Move(on=date(2016, 4, 1), district=BRAMSCHE), Move(on=date(2016, 12, 1), district=None)),
        appointments=(Appointment(id=id_of("slot"), on=DAY),),
        withdrawn_on=date(2016, 5, 1),
        profiled_on=DAY,
        needs=(Need(id=id_of("need"), kind=ServiceKind.LOTSE, confirmed_on=date(2016, 4, 2)),),
        waits=(Wait(need=id_of("need"), kind=ServiceKind.LOTSE, reason=WaitReason.NOT_ELIGIBLE, on=DAY),),
        referrals=tuple(
            Referral(id=id_of(step), kind=ServiceKind.LOTSE, steps=((step, DAY),), came_of_it=CAME_OF_IT.get(step, ""))
            for step in Step
        ),
    ),
    Count(id=id_of("refused"), district=MELLE, arrived_in="2016-03"),
    Offer(id=id_of("offer"), kind=ServiceKind.LOTSE, district=MELLE, published_on=DAY, seats=12),
)
"""Facts in which there is something of every unit."""

FINGERPRINTS = {1: "6ea9d9b4b03d", 2: "b680cf47cd98", 3: "b680cf47cd98", 4: "75d54faeefb9"}
"""What each edition makes of these facts. A line is added and never changed."""


def rows() -> list[Row]:
    return sorted(row for facts in FULL for row in contributions(facts))


def codes_of(dimension: str) -> set[str]:
    """Every value that a dimension may have."""
    return set(code_list(dimension, COUNTY))


def test_every_declared_table_is_counted_and_every_counted_one_is_declared():
    assert {row.table for row in rows()} == DECLARED.tables.keys()


def test_every_declared_dimension_is_read_and_every_one_that_is_read_is_declared():
    assert DIMENSIONS.keys() == DECLARED.dimensions.keys()
    assert {name for table in DECLARED.tables.values() for name in table.dimensions} == DECLARED.dimensions.keys()


def test_every_declared_unit_is_counted_in_some_table():
    assert {table.counts for table in DECLARED.tables.values()} == DECLARED.units.keys()


def test_every_value_in_a_cell_is_one_of_its_dimension():
    wrong = [
        (row.table, dimension, value)
        for row in rows()
        for dimension, value in zip(DECLARED.tables[row.table].dimensions, row.values, strict=True)
        if value not in codes_of(dimension)
    ]

    assert wrong == []


def test_steps_are_declared_by_their_words():
    assert DECLARED.dimensions["step"].labels.keys() == set(Step)


def test_every_event_that_reporting_reads_has_a_meaning_here():
    read: set[type[EventData]] = {event for events in subscriptions("reporting").values() for event in events}

    assert read == MEANINGS.keys()


def test_every_event_with_a_meaning_is_named_as_the_source_of_a_unit():
    told = {event.TYPE.split(".")[2] for event, meaning in MEANINGS.items() if meaning is not None}
    named = {source for unit in DECLARED.units.values() for source in unit.source}

    assert told - named == {"person-erased"}
    assert named <= told


def test_the_month_and_two_more_dimensions_are_the_most_a_table_may_have():
    declared = """
        edition: 1
        tables: {a: {title: {de: A, en: A}, counts: unit, dimensions: [x, x, x]}}
        units: {unit: {source: [e], month: m, rule: r}}
        dimensions: {x: {title: {de: x, en: x}, coarsening: c}}
    """
    with pytest.raises(ValidationError, match="at most 2"):
        parse(declared)
    assert parse(declared.replace("[x, x, x]", "[x, x]")).tables["a"].dimensions == ("x", "x")


def test_a_table_of_something_undeclared_stops_the_service_at_its_start():
    with pytest.raises(ValidationError, match="the table a uses colour, which is not declared"):
        parse(
            """
            edition: 1
            tables: {a: {title: {de: A, en: A}, counts: unit, dimensions: [colour]}}
            units: {unit: {source: [e], month: m, rule: r}}
            dimensions: {}
            """
        )


def test_who_changes_what_is_counted_raises_the_edition():
    """If this fails: raise `edition` in tables.yaml and add its fingerprint, so that every county is counted anew."""
    counted = [f"{row.table} {row.period} {'/'.join(row.values)} {row.key} {row.units}" for row in rows()]
    fingerprint = hashlib.sha256("\n".join(counted).encode()).hexdigest()[:12]

    assert FINGERPRINTS[EDITION] == fingerprint


def test_a_pseudonym_cannot_be_computed_from_a_case_id_by_another_process():
    here, elsewhere = pseudonyms_of_this_process(), pseudonyms_of_this_process()
    case = id_of("everything")

    assert here(case) == here(case) != elsewhere(case)
    assert here(case) != here(id_of("somebody else"))
