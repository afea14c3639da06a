"""The exact optimum of one round: who gets which place so that what everybody gains is most, together.

What may be relied on: no place is given more often than it has seats; nobody has two; only pairs that were asked about are made, and none
that is worth less than nothing. Of all ways to do so none gains more. `Assignment` carries its own proof: prices of the seats at which
nobody would rather have another place, and which therefore bound every other way from above (duality of linear programmes; the
transport problem's has whole-number optima). `assign` raises `NotOptimal` rather than returning anything that it cannot prove.

The prices are the smallest ones that prove it: what one more seat of a place would add. A place with a seat left over costs nothing.

Of several optima it is the one with the largest sum of `tie`, so that neither the order of the arrays nor people who get nothing decide
which one. (Up to some ten thousand people; beyond, fewer bits of it fit beside the gains.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Index = NDArray[np.int32]

WAITS: Final = -1
"""The place of somebody who has none."""

MOST_COST: Final = 2**60
"""The largest cost times the number of nodes. The solver takes a little more than twice that."""

TIE_BITS: Final = 24
"""How large `Problem.tie` may be."""


class NotOptimal(RuntimeError):
    """The solver returned something that is not the best, or nothing. A defect, never a property of the people."""


class TooLarge(ValueError):
    """The gains are too large for so many people: the sums would not fit into 64 bits."""


@dataclass(frozen=True)
class Problem:
    """`people` are counted from 0; so are places, by `seats`, how many of each are free.

    A pair is an entry of the arrays `person`, `place`, `gain` (what it is worth if this person has this place, in points) and `tie` (0 to
    2^24 - 1, which decides between equals). `price` is taken off for each seat of a place.
    """

    people: int
    seats: Whole
    person: Index
    place: Index
    gain: Whole
    price: Whole
    tie: Whole

    @cached_property
    def net(self) -> Whole:
        """What each pair is worth after the price."""
        return self.gain - self.price[self.place]


@dataclass(frozen=True, slots=True)
class Assignment:
    """`place` of each person, or `WAITS`; `prices` of one more seat of each place, beyond the price that was asked.

    `total` is what all gain after the prices asked, and no other way gains more than `bound`, which is the same number.
    """

    place: Index
    prices: Whole
    total: int
    bound: int


def assign(problem: Problem) -> Assignment:
    """The best of all ways to give the seats to the people. Raises `TooLarge` and `NotOptimal`.

    10,000 people with 25 pairs each and 1,000 places take some tenths of a second (`make bench ARGS="--parts matching"`).
    """
    worth, costs = costs_of(problem)
    person, place = problem.person[worth], problem.place[worth]
    chosen = _what_each_likes_best(person, costs) if _room_for_all(problem, person) else None
    if chosen is None or (np.bincount(place[chosen], minlength=len(problem.seats)) > problem.seats).any():
        chosen = flow(problem, person, place, costs)
    found = np.full(problem.people, WAITS, dtype=np.int32)
    found[person[chosen]] = place[chosen]
    return proven(problem, found)


def proven(problem: Problem, place: Index) -> Assignment:
    """Places for everybody (`WAITS` for none), with the prices that prove them the best. Raises `NotOptimal`."""
    own = np.zeros(problem.people, dtype=np.int64)
    made = np.flatnonzero(place[problem.person] == problem.place)
    own[problem.person[made]] = problem.net[made]
    prices, surplus = _prices(problem, place, own)
    total = int(own.sum())
    bound = int(surplus.sum() + (prices * problem.seats).sum())
    if bound != total or (surplus < 0).any():
        raise NotOptimal(f"{total} is gained where {bound} is the bound")
    return Assignment(place, prices, total, bound)


def costs_of(problem: Problem) -> tuple[NDArray[np.intp], Whole]:
    """The pairs that may be made, and their costs. Raises `TooLarge`.

    A cost is minus what the pair is worth, in whole points above as many bits of its tie as fit: all ties together never make up one point.
    """
    worth = np.flatnonzero((problem.net >= 0) & (problem.seats[problem.place] > 0))
    net, tie = problem.net[worth], problem.tie[worth]
    room = problem.people.bit_length()
    largest = int(net.max(initial=0)) + 1
    nodes = problem.people + len(problem.seats) + 1
    bits = min(TIE_BITS, (MOST_COST // (nodes * largest)).bit_length() - 1 - room)
    if bits < 1:
        raise TooLarge(f"gains up to {largest - 1} for {problem.people} people are too large to be added up")
    return worth, -((net << (room + bits)) + (tie >> (TIE_BITS - bits)))


def _room_for_all(problem: Problem, person: Index) -> bool:
    return np.count_nonzero(np.bincount(person)) <= problem.seats.sum()


def _what_each_likes_best(person: Index, costs: Whole) -> NDArray[np.intp]:
    """Of each person's pairs the best. Where there is room for all of them, nothing has to be weighed."""
    order = np.argsort(person, kind="stable")  # at once if they are in order, as they mostly are
    starts = np.flatnonzero(np.diff(person[order], prepend=-1))
    if not len(starts):
        return starts
    least = np.repeat(np.minimum.reduceat(costs[order], starts), np.diff(starts, append=len(order)))
    best = order[costs[order] == least]
    return best[np.flatnonzero(np.diff(person[best], prepend=-1))]


def flow(problem: Problem, person: Index, place: Index, costs: Whole) -> NDArray[np.intp]:
    """The pairs that the cheapest flow goes through: from each person to a place and from there to the end, or to the end at once."""
    # Some 25 MB and a tenth of a second: not for a process in which nobody ever competes.
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow  # noqa: PLC0415

    people, places = problem.people, len(problem.seats)
    end = people + places
    flow: Any = SimpleMinCostFlow()  # its stubs mistake an array's shape for its type
    nodes = np.arange(people, dtype=np.int32)
    pairs = flow.add_arcs_with_capacity_and_unit_cost(
        person, (place + people).astype(np.int32), np.ones(len(person), dtype=np.int64), costs
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        nodes, np.full(people, end, dtype=np.int32), np.ones(people, dtype=np.int64), np.zeros(people, dtype=np.int64)
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        np.arange(people, end, dtype=np.int32),
        np.full(places, end, dtype=np.int32),
        problem.seats,
        np.zeros(places, dtype=np.int64),
    )
    supplies = np.ones(people + 1, dtype=np.int64)
    supplies[people] = -people
    flow.set_nodes_supplies(np.append(nodes, np.int32(end)), supplies)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise NotOptimal(f"the solver ended with {status}")
    return np.flatnonzero(flow.flows(pairs))


def _prices(problem: Problem, found: Index, own: Whole) -> tuple[Whole, Whole]:
    """The smallest prices at which everybody has what is best for them, and what each gains beyond the price.

    Who waits would pay all they gain for a seat, who has one the difference that another makes; so a price rises until nobody is left
    who would pay more (the longest paths of the residual network, by Bellman and Ford). If the places are not the best, the prices rise
    without end, or what is paid is no longer what is gained.
    """
    # Numbers of 16 bits are sorted by their digits, several times as fast.
    narrow = problem.place.astype(np.uint16) if len(problem.seats) < 2**16 else problem.place
    order = np.argsort(narrow, kind="stable")
    person, place, net = problem.person[order], problem.place[order], problem.net[order]
    starts = np.flatnonzero(np.diff(place, prepend=WAITS))
    asked = place[starts]
    seated = np.flatnonzero(found != WAITS)
    prices, surplus = np.zeros(len(problem.seats), dtype=np.int64), own.copy()
    for _ in range(len(problem.seats) + 2):
        if not len(starts):
            return prices, surplus
        offered = np.maximum(np.maximum.reduceat(net - surplus[person], starts), prices[asked])
        if np.array_equal(offered, prices[asked]):
            return prices, surplus
        prices[asked] = offered
        surplus[seated] = own[seated] - prices[found[seated]]
    raise NotOptimal("the prices of the seats rise without end")
