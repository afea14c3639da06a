"""What a service's start makes is not looked through again and again; what comes later still is."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from services.runtime.collector import THRESHOLDS, starting


class Knot:
    """Refers to itself, so that counting references never frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_the_start_made_is_set_apart_and_the_collector_works_on() -> None:
    frozen = gc.get_freeze_count()
    with starting():
        assert not gc.isenabled()
        kept = [Knot() for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(kept)
    assert gc.get_threshold() == THRESHOLDS


def test_cycles_that_are_made_later_are_freed_by_themselves() -> None:
    with starting():
        pass
    knot = weakref.ref(Knot())
    for _ in range(2 * THRESHOLDS[0]):
        Knot()
    assert knot() is None


def test_a_start_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(RuntimeError), starting():
        raise RuntimeError
    assert gc.isenabled()
