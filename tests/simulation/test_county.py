"""A county's year follows the published figures, and nothing but county, year, number and seed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import places
from simulation import figures
from simulation.county import County, generate
from simulation.people import Person

DAY_0 = date(2016, 1, 1)


def traits(person: Person) -> Person:
    """The person without what follows from the place in the year's queue: every day is counted from the arrival."""
    shift = person.register.arrived_on - DAY_0
    register = person.register
    since = register.in_germany_since
    register = replace(register, arrived_on=DAY_0, in_germany_since=since and since - shift)
    correction = person.correction
    if correction:
        correction = replace(
            correction, on=DAY_0, register=replace(correction.register, arrived_on=DAY_0, in_germany_since=None)
        )
    return replace(
        person,
        registered_on=DAY_0,
        register=register,
        correction=correction,
        move=person.move and replace(person.move, on=DAY_0),
        withdrawal=person.withdrawal and replace(person.withdrawal, on=DAY_0),
        erasure=person.erasure and replace(person.erasure, on=DAY_0),
    )


def test_as_many_people_arrive_as_the_county_published(county: County, people: list[Person]) -> None:
    assert county.name == "Landkreis Osnabrück"
    assert len(people) == county.size == figures.arrivals("03459", 2016) == 3332
    assert {person.register.arrived_on.year for person in people} == {2016}


def test_every_district_receives_people(county: County, people: list[Person]) -> None:
    received = {person.register.district for person in people}
    assert received == {district.ars for district in county.districts}
    assert len(received) == figures.figures_of("03459").municipalities == 21


def test_every_municipality_of_a_samtgemeinde_receives_people(county: County, people: list[Person]) -> None:
    received = {person.register.municipality for person in people}
    assert received == {one.ars for district in county.districts for one in places.municipalities(district.ars)}


def test_people_stand_in_the_order_of_arrival(people: list[Person]) -> None:
    days = [person.register.arrived_on for person in people]
    assert days == sorted(days)
    assert [person.index for person in people] == list(range(len(people)))


def test_arrivals_keep_the_seasons(people: list[Person]) -> None:
    months = Counter(person.register.arrived_on.month for person in people)
    assert months[9] > months[6] > months[12]


def test_groups_are_split_as_published(people: list[Person]) -> None:
    shares = figures.group_shares("03459")
    assert shares["eu"] == pytest.approx(17110 / 28932)
    assert sum(shares.values()) == pytest.approx(1)
    found = Counter(person.truth.group for person in people)
    for group, share in shares.items():
        assert found[group] / len(people) == pytest.approx(share, abs=0.03)


def test_shares_of_foreigners_meet_the_lowest_the_highest_and_the_countys_own() -> None:
    districts = [district.ars for district in places.districts("03459")]
    weights = figures.district_weights("03459", districts)
    assert min(weights.values()) == pytest.approx(0.037)
    assert max(weights.values()) == pytest.approx(0.191)
    assert sum(weights.values()) / len(weights) == pytest.approx(26861 / 358574)


def test_the_order_of_districts_does_not_matter() -> None:
    districts = [district.ars for district in places.districts("03459")]
    assert figures.district_weights("03459", districts) == figures.district_weights("03459", districts[::-1])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), sizes=st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), data=st.data())
def test_a_person_is_the_same_whatever_the_number_of_people(
    seed: int, sizes: tuple[int, int], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, min(sizes) - 1))
    first, second = (_county(size, seed).person(index) for size in sizes)
    assert traits(first) == traits(second)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.permutations(range(8)))
def test_the_order_of_asking_does_not_matter(seed: int, order: list[int]) -> None:
    county = _county(8, seed)
    asked = {index: county.person(index) for index in order}
    assert [asked[index] for index in range(8)] == list(county.people())


def test_another_seed_makes_other_people() -> None:
    assert list(_county(30, 1).people()) != list(_county(30, 2).people())


def test_results_do_not_depend_on_the_process() -> None:
    """Neither on the order of sets, which differs between processes, nor on anything done before."""
    program = (
        "import hashlib; from simulation.county import generate; from simulation.files import office_files\n"
        "county = generate(people=150, seed=7)\n"
        "text = repr((county.partners, county.offers, list(county.people())))\n"
        "parts = [text.encode(), *(file.encode() for file in office_files(county))]\n"
        "print(hashlib.sha256(b''.join(parts)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(("key", "districts"), [("03358", 12), ("03157", 7)])
def test_a_county_that_published_less_is_filled_up_from_the_standard_county(key: str, districts: int) -> None:
    county = generate(key, people=800)
    received = {person.register.district for person in county.people()}
    assert len(received) == districts
    assert all(district.startswith(key) for district in received)


def test_a_year_without_a_published_number_asks_for_one() -> None:
    with pytest.raises(figures.NotPublished, match="Say how many people"):
        generate("03157")
    with pytest.raises(figures.NotPublished, match="2016"):
        generate("03459", year=2012)


def test_a_county_without_people_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        generate(people=0)
    with pytest.raises(IndexError):
        generate(people=3).person(3)


def test_everybody_registers_on_a_working_day_within_two_weeks_and_a_weekend(people: list[Person]) -> None:
    for person in people:
        waited = person.registered_on - person.register.arrived_on
        assert timedelta(0) <= waited <= timedelta(days=16)
        assert person.registered_on.weekday() < 5


def _county(size: int, seed: int) -> County:
    """Offers are not needed here: they would take longer than the people."""
    return replace(generate(people=8, seed=seed), size=size)
