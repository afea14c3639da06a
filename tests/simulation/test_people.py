"""Made-up people have everything that real registers have, and nothing that belongs to anybody."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.codes import CEFR_ORDER, BenefitRegime, Literacy, Origin, Purpose, ResidenceGroup, Sex, Way
from schemas.countries import citizenship, eu_members
from schemas.languages import language
from schemas.places import locate
from simulation import assumptions, naming
from simulation.county import generate
from simulation.people import Person
from simulation.register import PartialDate

# Data type A of DIN 91379 (names of natural persons): its single code points. The lists here use no sequences with combining marks.
DIN_91379_A = re.compile(
    "[ ',-.A-Z`-z~¨´·À-ÖØ-öø-žƇƈƏƗƠơƯưƷǍ-ǜǞǟǢ-ǰǴǵǸ-ǿȒȓȘ-țȞȟȧ-ȳəɨʒʹʺʾʿˈˌḂḃḆḇḊ-ḑḗḜ-ḫḯ-ḷḺḻṀ-ṉṒ-ṛṞ-ṣṪ-ṯẀ-ẇẌ-ẗẞẠ-ỹ’‡]+"
)
FILM_NUMBER = re.compile(r"(030 23125|069 90009|040 66969|0221 4710|089 99998) [0-9]{3}")


def test_every_listed_name_is_written_in_the_characters_of_din_91379() -> None:
    lists = naming._names()
    names = [
        name
        for one in lists.values()
        for group in (one.family, one.women, one.men)
        for entry in group
        for name in entry.split("/")
    ]
    assert len(names) > 900
    assert [name for name in names if not DIN_91379_A.fullmatch(name)] == []
    assert [name for name in names if unicodedata.normalize("NFC", name) != name] == []


def test_every_name_in_the_register_is_written_in_the_characters_of_din_91379(people: list[Person]) -> None:
    for person in people:
        for name in (person.register.family_name, person.register.given_names):
            assert name == "" or DIN_91379_A.fullmatch(name), name
            assert name == name.strip()
        assert person.register.family_name or person.register.given_names


def test_names_go_beyond_what_windows_1252_can_write(people: list[Person]) -> None:
    outside = [
        person for person in people if not _in_windows_1252(person.register.family_name + person.register.given_names)
    ]
    assert 0.1 < len(outside) / len(people) < 0.6


def test_no_two_people_are_the_same_by_accident() -> None:
    """Even without telephone and e-mail, which are a person's own anyway."""
    people = list(generate(people=8000, seed=5).people())
    rows = Counter(replace(person.register, phone=None, email=None) for person in people)
    assert [row for row, times in rows.items() if times > 1] == []


def test_contacts_reach_nobody(people: list[Person]) -> None:
    phones = [person.register.phone for person in people if person.register.phone]
    emails = [person.register.email for person in people if person.register.email]
    assert all(FILM_NUMBER.fullmatch(phone) for phone in phones)
    assert all(email.endswith("@example.org") for email in emails)
    assert len(set(emails)) == len(emails) > 1000
    assert all(FILM_NUMBER.fullmatch(naming.phone(index)) for index in (0, 999, 1000, 4999, 5000, 123_456))


def test_what_is_valid_though_incomplete_appears(people: list[Person]) -> None:
    registers = [person.register for person in people]
    births = [register.birth_date for register in registers]
    assert any(register.given_names == "" for register in registers)
    assert any(birth is None for birth in births)
    assert any(birth and birth.month is None for birth in births)
    assert any(birth and birth.month and birth.day is None for birth in births)
    assert any(register.sex is None for register in registers)
    assert any(register.citizenships == () for register in registers)
    assert any(len(register.citizenships) == 2 for register in registers)
    assert any(register.languages == () for register in registers)
    keys = {key for register in registers for key in register.citizenships}
    assert {"997", "998", "150", "133"} <= keys  # stateless, unclear, Kosovo, a former state
    assert {register.origin for register in registers} == set(Origin)
    assert {register.residence_group for register in registers} == {*ResidenceGroup, None}


def test_sex_divers_and_entries_without_a_sex_appear_in_a_large_county() -> None:
    found = Counter(person.register.sex for person in generate(people=6000, seed=3).people())
    assert set(found) == {*Sex, None}
    assert found[Sex.MALE] / 6000 == pytest.approx(0.55, abs=0.03)


def test_codes_are_those_of_the_official_lists(people: list[Person]) -> None:
    for key in {key for weights in assumptions.CITIZENSHIPS.values() for key in weights}:
        assert naming.origins()[key].languages
        citizenship(key)
    for code, known in naming.languages().items():
        assert language(code) == code
        assert known.short is None or language(known.short) == code
    assert {spoken for origin in naming.origins().values() for spoken in origin.languages} <= set(naming._names())
    for person in people:
        assert locate(person.register.municipality).district.ars == person.register.district


def test_eu_citizens_have_citizenships_of_the_eu_of_that_year(people: list[Person]) -> None:
    members = eu_members(people[0].register.arrived_on)
    for person in people:
        assert (naming.country(person.truth.citizenship) in members) == (person.truth.group == "eu")


def test_everybody_was_born_before_the_year_began(people: list[Person]) -> None:
    for person in people:
        assert person.truth.born_on.year < 2016
        assert 0 <= person.situation.age <= 90
        birth = person.register.birth_date
        assert birth is None or birth.year == person.truth.born_on.year


def test_a_stay_in_germany_is_told_only_by_those_who_came_from_there(people: list[Person]) -> None:
    for person in people:
        since = person.register.in_germany_since
        assert (since is not None) == (person.register.origin is Origin.GERMANY)
        if since:
            assert timedelta(0) < person.register.arrived_on - since < timedelta(days=365)


@pytest.mark.parametrize(
    ("known", "written"), [((1990,), "1990"), ((1990, 5), "1990-05"), ((1990, 5, 7), "1990-05-07")]
)
def test_a_partial_date_says_as_much_as_is_known(known: tuple[int, ...], written: str) -> None:
    assert str(PartialDate(*known)) == written


def test_situations_hang_together(people: list[Person]) -> None:
    for person in people:
        found = person.situation
        adult = found.age >= assumptions.ADULT_FROM_AGE
        levels = found.german
        assert levels.writing
        assert levels.speaking
        assert CEFR_ORDER[levels.writing] <= CEFR_ORDER[levels.speaking]
        assert found.available
        assert all(found.age - age >= 18 for age in found.child_ages)
        assert set(found.child_care_ages) <= set(range(6))
        assert (found.literacy is None) == (found.age < assumptions.READS_FROM_AGE)
        assert adult or (not found.working and found.benefit_regime is BenefitRegime.NONE and not found.child_ages)
        assert not found.wants_recognition or found.qualification != "none"
        assert not (found.working and found.benefit_regime is not BenefitRegime.NONE)
    assert {person.situation.literacy for person in people} == {*Literacy, None}
    assert {person.situation.benefit_regime for person in people} == set(BenefitRegime)


def test_who_writes_in_latin_letters_has_no_second_script_to_learn(people: list[Person]) -> None:
    for person in people:
        if person.situation.literacy is Literacy.SECOND_SCRIPT:
            assert not naming.languages()[person.truth.languages[0]].latin


def test_later_events_happen_in_their_shares_and_after_the_registration(people: list[Person]) -> None:
    shares = {
        "correction": assumptions.CORRECTED,
        "move": assumptions.MOVES,
        "withdrawal": assumptions.WITHDRAWS,
        "erasure": assumptions.ERASED,
    }
    for name, share in shares.items():
        found = [(person, getattr(person, name)) for person in people if getattr(person, name)]
        assert len(found) / len(people) == pytest.approx(share, abs=0.015)
        assert all(event.on > person.registered_on for person, event in found)


def test_a_correction_changes_something_and_leaves_the_arrival_as_it_was(people: list[Person]) -> None:
    corrected = [(person, person.correction) for person in people if person.correction]
    assert {correction.kind for _, correction in corrected} >= {"spelling", "languages", "residence-group"}
    for person, correction in corrected:
        assert correction.register != person.register
        assert correction.register.arrived_on == person.register.arrived_on
        assert correction.register.municipality == person.register.municipality
        assert DIN_91379_A.fullmatch(correction.register.given_names) or not correction.register.given_names


def test_a_move_leads_somewhere_else(people: list[Person]) -> None:
    moves = [(person, person.move) for person in people if person.move]
    assert {move.municipality is None for _, move in moves} == {True, False}
    assert all(move.municipality != person.register.municipality for person, move in moves)


def test_consents_are_asked_for_where_they_belong(people: list[Person]) -> None:
    assert all(Purpose.TRANSFER not in person.purposes for person in people)
    refused = sum(not person.consent.given for person in people) / len(people)
    assert refused == pytest.approx(assumptions.CONSENT_REFUSED, abs=0.02)
    assert {person.way for person in people} == {Way.OFFICE_FILE, Way.OFFICE_API, Way.CENTRE}
    for person in people:
        assert person.consent.language in {*person.register.languages, "deu"}


def _in_windows_1252(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
