"""What rules found out when they looked ahead is taken over, and never mistaken for something else."""

from __future__ import annotations

import gc
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.deciding import remembered
from tests.runtime.toy import ANNA, START, Account, Booked, evolve

LATER = START + timedelta(hours=1)


class Counting:
    """The bank's evolve, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def evolve(self, state: Any, fact: object, at: datetime) -> Account:
        self.asked += 1
        return evolve(state, fact, at)


def test_a_fact_that_was_looked_at_before_is_not_worked_out_again() -> None:
    counting = Counting()
    evolved = remembered(counting.evolve)
    anna, first, second = Account(id=ANNA), Booked(amount=1), Booked(amount=2)
    ahead = evolved(evolved(anna, first, START), second, START)
    taken_over = evolved(evolved(anna, first, START), second, START)
    assert taken_over is ahead
    assert counting.asked == 2


def test_another_instant_is_another_question() -> None:
    counting = Counting()
    evolved = remembered(counting.evolve)
    anna, fact = Account(id=ANNA), Booked(amount=1)
    for at in (START, LATER, START):
        assert evolved(anna, fact, at).entries == ("+1",)
    assert counting.asked == 3


def test_a_rule_that_fails_is_asked_again() -> None:
    def failing(state: Account, fact: object, at: datetime) -> Account:
        raise ZeroDivisionError

    evolved, anna = remembered(failing), Account(id=ANNA)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            evolved(anna, START, START)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=300))
def test_every_answer_is_that_of_the_rule_itself(asked: list[tuple[int, int]]) -> None:
    """Also when states and facts are gone, and others lie where they lay."""
    evolved = remembered(evolve)
    for balance, amount in asked:
        gc.collect(0)
        assert evolved(Account(id=ANNA, balance=balance), Booked(amount=amount), START).balance == balance + amount
