"""Ids: random at the door, repeatable in a simulation, and what follows from one follows always."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.ids import Ids, child

uuids = st.uuids().map(str)
words = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)
names = st.lists(words, max_size=3).map(tuple)


def test_root_ids_are_random_and_tell_nothing_about_when_they_were_made() -> None:
    ids = Ids()
    made = [ids.root("person", "1") for _ in range(100)]
    assert len(set(made)) == 100
    assert {uuid.UUID(id).version for id in made} == {4}
    assert made != sorted(made)


@given(st.text(max_size=8), names, names)
def test_with_a_seed_the_same_names_make_the_same_id_and_others_another(
    seed: str, some: tuple[str, ...], others: tuple[str, ...]
) -> None:
    assert Ids(seed).root(*some) == Ids(seed).root(*some)
    if some != others:
        assert Ids(seed).root(*some) != Ids(seed).root(*others)


def test_another_seed_makes_other_ids() -> None:
    assert Ids("1").root("person", "7") != Ids("2").root("person", "7")


@given(uuids, st.text(max_size=8), st.text(max_size=8))
def test_a_childs_id_follows_from_its_parent_and_its_purpose(parent: str, purpose: str, other: str) -> None:
    assert child(parent, purpose) == child(parent, purpose)
    assert child(parent, purpose) == str(uuid.uuid5(uuid.UUID(parent), purpose))
    if purpose != other:
        assert child(parent, purpose) != child(parent, other)


@pytest.mark.parametrize("parent", ["", "00", "case/7", 33 * "0"])
def test_only_an_id_has_children(parent: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        child(parent, "slip")


@given(uuids, uuids)
def test_the_same_purpose_of_two_parents_makes_two_children(parent: str, other: str) -> None:
    if parent != other:
        assert child(parent, "slip") != child(other, "slip")
