"""A person's document opens with its own key and the county's, for its own case, and with nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.sealing import Keyring, Person, Unreadable
from tests.intake.office import COUNTY, KEYRING, case_id, keys

PERSON = Person(
    family_name="Łączak", given_names="Żaneta", birth_date="1990-05-17", phone="0541 000000", email="z@example.org"
)
TEXT = st.text(max_size=40)


@given(TEXT, TEXT, TEXT)
def test_what_is_sealed_opens_again(family: str, given_names: str, phone: str) -> None:
    person = Person(family_name=family, given_names=given_names, phone=phone)
    sealed = keys().seal(case_id(1), person)
    assert keys().open(case_id(1), sealed.wrapped_key, sealed.document) == person


def test_nothing_of_the_person_can_be_read_in_what_is_stored() -> None:
    sealed = keys().seal(case_id(1), PERSON)
    stored = sealed.wrapped_key + sealed.document + sealed.search_key
    assert not any(value.encode() in stored for value in PERSON.model_dump().values())
    assert repr(sealed) == "Sealed()"
    assert repr(PERSON) == "Person()"


def test_the_same_person_sealed_twice_looks_different() -> None:
    one, other = keys().seal(case_id(1), PERSON), keys().seal(case_id(1), PERSON)
    assert one.document != other.document
    assert one.wrapped_key != other.wrapped_key


@given(st.data())
def test_a_changed_byte_anywhere_is_noticed(data: st.DataObject) -> None:
    sealed = keys().seal(case_id(1), PERSON)
    for part in ("wrapped_key", "document"):
        stored = {"wrapped_key": sealed.wrapped_key, "document": sealed.document}
        at = data.draw(st.integers(0, len(stored[part]) - 1))
        changed = bytearray(stored[part])
        changed[at] ^= data.draw(st.integers(1, 255))
        with pytest.raises(Unreadable):
            keys().open(case_id(1), **(stored | {part: bytes(changed)}))


def test_a_document_does_not_open_for_another_case_or_county() -> None:
    sealed = keys().seal(case_id(1), PERSON)
    with pytest.raises(Unreadable):
        keys().open(case_id(2), sealed.wrapped_key, sealed.document)
    with pytest.raises(Unreadable):
        KEYRING.of("03157").open(case_id(1), sealed.wrapped_key, sealed.document)


def test_without_its_own_key_a_document_stays_shut() -> None:
    """Deleting the key erases: neither the master key nor anybody else's data key opens what is left."""
    sealed, other = keys().seal(case_id(1), PERSON), keys().seal(case_id(1), PERSON)
    for tried in (other.wrapped_key, b"", bytes(60)):
        with pytest.raises(Unreadable):
            keys().open(case_id(1), tried, sealed.document)


def test_another_master_key_opens_nothing() -> None:
    sealed = keys().seal(case_id(1), PERSON)
    with pytest.raises(Unreadable):
        Keyring(bytes(32)).of(COUNTY).open(case_id(1), sealed.wrapped_key, sealed.document)


@pytest.mark.parametrize(
    "alike",
    [
        {"family_name": "LACZAK"},
        {"family_name": "łączak", "given_names": "żaneta"},
        {"family_name": "Żaneta", "given_names": "Łączak"},
        {"family_name": "", "given_names": "Żaneta Łączak"},
        {"phone": "", "email": ""},
    ],
)
def test_people_who_are_written_alike_are_found(alike: dict[str, str]) -> None:
    assert keys().search_key(PERSON.model_copy(update=alike)) == keys().search_key(PERSON)


@pytest.mark.parametrize("other", [{"birth_date": "1990-05-18"}, {"given_names": "Zofia"}, {"birth_date": ""}])
def test_others_are_not(other: dict[str, str]) -> None:
    assert keys().search_key(PERSON.model_copy(update=other)) != keys().search_key(PERSON)


def test_digests_of_two_counties_cannot_be_joined() -> None:
    there = KEYRING.of("03157")
    assert keys().search_key(PERSON) != there.search_key(PERSON)
    with pytest.raises(Unreadable):
        there.row_key("2016-01", keys().new_row_key("2016-01"))
    assert keys().fingerprint(PERSON) != there.fingerprint(PERSON)
