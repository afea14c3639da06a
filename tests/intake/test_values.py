"""Single values: what is incomplete but possible is valid, what is impossible has a code, and no error repeats the value."""

from __future__ import annotations

from datetime import date

import pytest

from services.intake.columns import Entries
from services.intake.rows import REMEMBERED, RowReader, Wrong
from services.intake.values import Flaw
from tests.intake.office import COUNTY, cells

TODAY = date(2016, 2, 1)


def row(**told: str) -> Entries | list[Wrong]:
    given = cells(**told)
    return RowReader(COUNTY, TODAY, list(given)).read(list(given.values()))


def value(column: str, text: str) -> str:
    read = row(**{column: text})
    assert isinstance(read, Entries), read
    return getattr(read, column)


def flaw(column: str, text: str) -> Flaw:
    read = row(**{column: text})
    assert isinstance(read, list), read
    assert {wrong.column for wrong in read} == {column}
    return read[0].flaw


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("17.05.1990", "1990-05-17"),
        ("7.5.1990", "1990-05-07"),
        ("1990-05-17", "1990-05-17"),
        ("00.05.1990", "1990-05"),
        ("05.1990", "1990-05"),
        ("1990-05", "1990-05"),
        ("1990-05-00", "1990-05"),
        ("00.00.1990", "1990"),
        ("1990-00-00", "1990"),
        ("1990", "1990"),
        ("29.02.1996", "1996-02-29"),
        ("", ""),
    ],
)
def test_a_birth_date_is_known_as_far_as_it_is_known(written: str, known: str) -> None:
    assert value("birth_date", written) == known


@pytest.mark.parametrize(
    ("column", "written", "wrong"),
    [
        ("birth_date", "31.02.1990", Flaw.IMPOSSIBLE_DATE),
        ("birth_date", "29.02.1990", Flaw.IMPOSSIBLE_DATE),
        ("birth_date", "17.13.1990", Flaw.IMPOSSIBLE_DATE),
        ("birth_date", "17.00.1990", Flaw.IMPOSSIBLE_DATE),
        ("birth_date", "1990-02-30", Flaw.IMPOSSIBLE_DATE),
        ("birth_date", "0000", Flaw.IMPOSSIBLE_DATE),
        ("birth_date", "17.05.90", Flaw.UNREADABLE_DATE),
        ("birth_date", "17/05/1990", Flaw.UNREADABLE_DATE),
        ("birth_date", "Mai 1990", Flaw.UNREADABLE_DATE),
        ("birth_date", "1990-5-7", Flaw.UNREADABLE_DATE),
        ("birth_date", "١٩٩٠", Flaw.UNREADABLE_DATE),
        ("birth_date", "05.01.2016", Flaw.DATE_OUT_OF_ORDER),
        ("birth_date", "2017", Flaw.DATE_OUT_OF_ORDER),
        ("birth_date", "1879", Flaw.DATE_OUT_OF_ORDER),
        ("arrival_date", "01.2016", Flaw.IMPOSSIBLE_DATE),
        ("arrival_date", "02.02.2016", Flaw.DATE_OUT_OF_ORDER),
        ("arrival_date", "0016-01-04", Flaw.DATE_OUT_OF_ORDER),
        ("arrival_date", "01.01.0001", Flaw.DATE_OUT_OF_ORDER),
        ("arrival_date", "31.12.1879", Flaw.DATE_OUT_OF_ORDER),
        ("in_germany_since", "31.12.1879", Flaw.DATE_OUT_OF_ORDER),
        ("in_germany_since", "2015", Flaw.IMPOSSIBLE_DATE),
        ("in_germany_since", "05.01.2016", Flaw.DATE_OUT_OF_ORDER),
    ],
)
def test_dates_that_cannot_be(column: str, written: str, wrong: Flaw) -> None:
    assert flaw(column, written) is wrong


def test_beside_an_impossible_arrival_the_other_dates_are_not_blamed() -> None:
    read = row(arrival_date="0016-01-04", birth_date="17.05.1990", in_germany_since="03.01.2016")
    assert read == [Wrong("arrival_date", Flaw.DATE_OUT_OF_ORDER)]


def test_a_refusal_of_an_impossible_year_is_not_counted() -> None:
    assert flaw_of_refusal(arrival_date="0016-01-04") is Flaw.DATE_OUT_OF_ORDER


def test_born_in_the_year_or_month_of_arrival_is_possible() -> None:
    assert value("birth_date", "2016") == "2016"
    assert value("birth_date", "01.2016") == "2016-01"
    assert value("birth_date", "04.01.2016") == "2016-01-04"


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("152", "PL"),
        ("pl", "PL"),
        ("997", "stateless"),
        ("998", "unclear"),
        ("120", "unclear"),  # Yugoslavia
        ("XK", "XK"),
        ("150", "XK"),
        ("PL|TR", "PL TR"),
        ("PL PL", "PL"),
    ],
)
def test_citizenships_as_registers_have_them(written: str, codes: str) -> None:
    assert value("citizenships", written) == codes


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Nguyễn", "Nguyễn"),
        ("Ərdoğan-Çelik", "Ərdoğan-Çelik"),
        ("O’Connor", "O’Connor"),
        ("d'Artagnan, Jr.", "d'Artagnan, Jr."),
        ("  von   der\u00a0Heide ", "von der Heide"),
        ("Muller\u0308", "Mulle\u0072\u0308"),
        ("Mu\u0308ller", "Müller"),
        ("Ss\u0331", "Ss\u0331"),
        ("M\u0306ari", "M\u0306ari"),
    ],
)
def test_names_in_the_characters_of_din_91379(written: str, kept: str) -> None:
    if kept.endswith("\u0308"):
        assert flaw("family_name", written) is Flaw.BAD_CHARACTER, "r with two dots is no letter of the norm"
    else:
        assert value("family_name", written) == kept


@pytest.mark.parametrize("written", ["Иванов", "Παπαδόπουλος", "أحمد", "M4ller", "M_ller", "a\u200bb", "😀", "e\u0331"])
def test_other_characters_are_no_name(written: str) -> None:
    assert flaw("family_name", written) is Flaw.BAD_CHARACTER


def test_a_single_name_stands_in_either_column() -> None:
    assert isinstance(row(given_names=""), Entries)
    assert isinstance(row(family_name=""), Entries)
    assert row(family_name="", given_names=" ") == [Wrong("family_name", Flaw.MISSING_VALUE)]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("03459014", "034590014014"),
        ("3459014", "034590014014"),
        ("034590014014", "034590014014"),
        ("03 459 0014 014", "034590014014"),
        ("034590014", "034590014"),
        ("34590014", "034590014"),
    ],
)
def test_places_by_any_of_their_keys(written: str, key: str) -> None:
    assert value("municipality_key", written) == key


@pytest.mark.parametrize("written", ["03157001", "031570001", "03404000", "99999999", "Bramsche"])
def test_places_elsewhere_are_unknown_here(written: str) -> None:
    assert flaw("municipality_key", written) is Flaw.UNKNOWN_PLACE


@pytest.mark.parametrize(
    ("column", "written", "kept"),
    [
        ("sex", "M", "male"),
        ("sex", "f", "female"),
        ("sex", "d", "divers"),
        ("sex", "x", "none"),
        ("sex", "", ""),
        ("origin", "Deutschland", "germany"),
        ("languages", "pl|DEU", "pol deu"),
        ("phone", "+49 (541) 00-00/00", "+49 (541) 00-00/00"),
        ("welcome_package", "Ja", "yes"),
        ("residence_group", "Refugee", "refugee"),
        ("consent_text", "2016-1", "2016-1"),
    ],
)
def test_codes_and_contacts(column: str, written: str, kept: str) -> None:
    assert value(column, written) == kept


@pytest.mark.parametrize(
    ("column", "written", "wrong"),
    [
        ("sex", "weiblich", Flaw.UNKNOWN_CODE),
        ("citizenships", "Polen", Flaw.UNKNOWN_CODE),
        ("citizenships", "PL TR SY IQ IR RO", Flaw.TOO_LONG),
        ("languages", "klingon", Flaw.UNKNOWN_CODE),
        ("consent", "vielleicht", Flaw.UNKNOWN_CODE),
        ("phone", "0541", Flaw.BAD_CONTACT),
        ("phone", "call me", Flaw.BAD_CONTACT),
        ("phone", "0" * 41, Flaw.TOO_LONG),
        ("email", "a@b", Flaw.BAD_CONTACT),
        ("email", "a@example.org, b@example.org", Flaw.BAD_CONTACT),
        ("email", f"{'a' * 250}@example.org", Flaw.TOO_LONG),
        ("family_name", "a" * 201, Flaw.TOO_LONG),
        ("consent_text", "v" * 65, Flaw.TOO_LONG),
        ("municipality_key", "", Flaw.MISSING_VALUE),
        ("arrival_date", "", Flaw.MISSING_VALUE),
        ("consent", "", Flaw.MISSING_VALUE),
    ],
)
def test_values_that_do_not_do(column: str, written: str, wrong: Flaw) -> None:
    assert flaw(column, written) is wrong


def test_everything_wrong_with_a_row_is_told_at_once() -> None:
    read = row(birth_date="31.02.1990", municipality_key="1", email="x", family_name="", given_names="")
    assert isinstance(read, list)
    assert len(read) == 4


def test_of_a_refusal_only_place_day_and_a_name_are_checked() -> None:
    read = row(consent="nein", birth_date="31.02.1990", phone="x", citizenships="?", family_name="Иванов", sex="?")
    assert isinstance(read, Entries)
    assert flaw_of_refusal(arrival_date="30.02.2016") is Flaw.IMPOSSIBLE_DATE
    assert flaw_of_refusal(municipality_key="1") is Flaw.UNKNOWN_PLACE
    assert flaw_of_refusal(family_name="", given_names="") is Flaw.MISSING_VALUE


def flaw_of_refusal(**told: str) -> Flaw:
    read = row(consent="nein", **told)
    assert isinstance(read, list)
    (wrong,) = read
    return wrong.flaw


def test_two_refusals_of_one_month_are_two_rows() -> None:
    one, other = row(consent="nein"), row(consent="nein", given_names="Zofia")
    assert isinstance(one, Entries)
    assert isinstance(other, Entries)
    assert one.text() != other.text()


def test_what_is_remembered_while_reading_is_bounded_and_never_a_name() -> None:
    given = cells()
    reader = RowReader(COUNTY, TODAY, list(given))
    for number in range(REMEMBERED + 10):
        reader.read(list((given | {"consent_text": f"t{number}", "phone": f"0541 {number:06}"}).values()))
    known = {place.name: place.known for place in reader._places}
    assert known["phone"] is known["family_name"] is known["given_names"] is known["email"] is None
    assert all(len(forms) <= REMEMBERED for forms in known.values() if forms is not None)
