"""Chance follows from its key alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.chance import Chance, Odds

KEYS = st.lists(st.integers() | st.text(max_size=10), min_size=1, max_size=4)


@given(KEYS)
def test_the_same_key_gives_the_same_draws(key: list[int | str]) -> None:
    first, second = Chance(*key), Chance(*key)
    assert [first.unit() for _ in range(20)] == [second.unit() for _ in range(20)]


def test_draws_are_the_same_on_every_machine() -> None:
    chance = Chance(1, "age", 17)
    assert [int(chance.unit() * 10**12) for _ in range(9)] == [
        632328375555,
        481958531896,
        824994623523,
        320139294396,
        397650410450,
        680855564312,
        588354196256,
        241157163458,
        310933370295,
    ]


def test_different_keys_are_independent() -> None:
    draws = {Chance(seed, purpose, index).unit() for seed in (1, 2) for purpose in "ab" for index in range(50)}
    assert len(draws) == 200


@given(KEYS, st.integers(-5, 5), st.integers(0, 9))
def test_a_number_lies_between_its_ends(key: list[int | str], low: int, more: int) -> None:
    assert low <= Chance(*key).between(low, low + more) <= low + more


def test_both_ends_are_drawn() -> None:
    assert {Chance("ends", index).between(3, 5) for index in range(100)} == {3, 4, 5}


@given(st.dictionaries(st.integers(), st.floats(0.01, 100), min_size=1, max_size=8), st.floats(0, 1, exclude_max=True))
def test_odds_draw_only_what_has_weight(weights: dict[int, float], unit: float) -> None:
    odds = Odds({**weights, -1_000_000: 0.0})
    assert odds.at(unit) in weights


def test_odds_follow_their_weights() -> None:
    odds = Odds({"often": 3, "seldom": 1})
    often = sum(odds.draw(Chance("odds", index)) == "often" for index in range(4000))
    assert often == pytest.approx(3000, abs=120)


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": 2.0, "b": -1.0}])
def test_odds_without_sense_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Odds(weights)
