"""How rows add up."""

from __future__ import annotations

from services.reporting.sums import Cell, Row, Sum, Sums

MARCH = Cell("needs", "2016-03", ("lotse", "034590024"))
SEATS = Cell("seats", "2016-03", ("lotse", "034590024"))


def test_a_cell_holds_how_many_count_in_it_and_the_sum_of_their_keys():
    sums = Sums()
    sums.count([Row(*MARCH, key=5), Row(*MARCH, key=7)])

    assert dict(sums) == {MARCH: Sum(2, 12)}


def test_a_record_of_several_units_brings_its_key_once_for_each():
    sums = Sums()
    sums.count([Row(*SEATS, key=5, units=16)])
    assert dict(sums) == {SEATS: Sum(16, 80)}

    sums.count([Row(*SEATS, key=5, units=14)])
    sums.count([Row(*SEATS, key=5, units=16)], sign=-1)
    assert dict(sums) == {SEATS: Sum(14, 70)}


def test_a_row_that_is_retracted_takes_off_exactly_what_it_had_added():
    sums = Sums()
    sums.count([Row(*MARCH, key=5)])
    sums.count([Row(*MARCH, key=5)], sign=-1)

    assert len(sums) == 0
    assert sums == Sums()
    assert sums.get(MARCH) == Sum(0, 0)


def test_a_cell_with_other_records_in_it_is_not_the_same_though_as_many_count():
    one, other = Sums(), Sums()
    one.count([Row(*MARCH, key=5)])
    other.count([Row(*MARCH, key=7)])

    assert one != other
    assert one.differing(other) == {MARCH}


def test_keys_of_millions_of_records_fit_into_what_a_database_keeps():
    assert (2**40 - 1) * 8_000_000 < 2**63
