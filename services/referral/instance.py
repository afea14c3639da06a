"""A round as a file, so that anyone can check what this solver finds against another one. `wegenetz match FILE` solves it.

The file is one JSON object:

    {"people": ["p1", "p2"],
     "offers": [{"id": "o1", "capacity": 1, "price": 0}],
     "pairs": [{"person": "p1", "offer": "o1", "points": 730}],
     "seed": ""}

`people` are ids; `offers` have a capacity of seats (0 and more) and the learned price of one (in points, 0 if it is not said); `pairs` name
who may have what and what it is worth in whole points (0 to 1,000,000). Who is in no pair waits. `seed` decides between equals and may
be left out.

The answer names the offer of each person and who waits, both in the order of `people`; `points` of all pairs together; `total`, the points
minus the prices asked, which no other way exceeds; and for each offer what one more seat would add to it (`marginal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.referral.assignment import WAITS, Problem, assign
from services.referral.ties import Ties

MOST_POINTS: Final = 1_000_000
MOST_SHOWN: Final = 20

Id = Annotated[str, Field(min_length=1, max_length=100)]
Points = Annotated[int, Field(ge=0, le=MOST_POINTS)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OfferOfFile(_Part):
    """An offer with its free seats and the price that was learned for one."""

    id: Id
    capacity: Annotated[int, Field(ge=0, le=1_000_000)]
    price: Points = 0


class PairOfFile(_Part):
    """Who may have what, and what it is worth."""

    person: Id
    offer: Id
    points: Points


class Instance(_Part):
    """A round as it stands in the file."""

    people: tuple[Id, ...]
    offers: tuple[OfferOfFile, ...]
    pairs: tuple[PairOfFile, ...]
    seed: str = ""


class Marginal(_Part):
    """What one more seat of an offer would add to the total."""

    offer: str
    marginal: int


class Solved(_Part):
    """The best of all ways."""

    assignment: tuple[PairOfFile, ...]
    waiting: tuple[str, ...]
    points: int
    total: int
    prices: tuple[Marginal, ...]


class BadInstance(ValueError):
    """The file is no round. `faults` are sentences, each with its place in the file."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        more = len(self.faults) - MOST_SHOWN
        shown = (*self.faults[:MOST_SHOWN], *([f"… and {more} more"] if more > 0 else []))
        super().__init__("\n".join(shown))


def read(text: str | bytes) -> Instance:
    """The round that a file describes. Raises `BadInstance`."""
    try:
        instance = Instance.model_validate_json(text)
    except ValidationError as error:
        raise BadInstance(
            f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors(include_input=False)
        ) from None
    faults = list(_contradictions(instance))
    if faults:
        raise BadInstance(faults)
    return instance


def solve(instance: Instance) -> Solved:
    """Raises `assignment.TooLarge`."""
    people = {id: number for number, id in enumerate(instance.people)}
    places = {offer.id: number for number, offer in enumerate(instance.offers)}
    person = np.array([people[pair.person] for pair in instance.pairs], dtype=np.int32)
    place = np.array([places[pair.offer] for pair in instance.pairs], dtype=np.int32)
    ties = Ties(instance.seed)
    found = assign(
        Problem(
            people=len(people),
            seats=np.array([offer.capacity for offer in instance.offers], dtype=np.int64),
            person=person,
            place=place,
            gain=np.array([pair.points for pair in instance.pairs], dtype=np.int64),
            price=np.array([offer.price for offer in instance.offers], dtype=np.int64),
            tie=ties.of_pairs([ties.of(id) for id in people], [ties.of(id) for id in places], person, place),
        )
    )
    chosen = {pair.person: pair for pair in instance.pairs if found.place[people[pair.person]] == places[pair.offer]}
    made = tuple(chosen[id] for id in instance.people if id in chosen)
    return Solved(
        assignment=made,
        waiting=tuple(id for id in instance.people if found.place[people[id]] == WAITS),
        points=sum(pair.points for pair in made),
        total=found.total,
        prices=tuple(
            Marginal(offer=offer.id, marginal=int(price))
            for offer, price in zip(instance.offers, found.prices, strict=True)
        ),
    )


def _contradictions(instance: Instance) -> Iterator[str]:
    people, offers = set[str](), set[str]()
    for number, person in enumerate(instance.people):
        if person in people:
            yield f"people.{number}: {person} stands there twice; each person has one line"
        people.add(person)
    for number, offer in enumerate(instance.offers):
        if offer.id in offers:
            yield f"offers.{number}: {offer.id} stands there twice; add their capacities up"
        offers.add(offer.id)
    seen = set[tuple[str, str]]()
    for number, pair in enumerate(instance.pairs):
        if pair.person not in people:
            yield f"pairs.{number}: {pair.person} is not among the people"
        if pair.offer not in offers:
            yield f"pairs.{number}: {pair.offer} is not among the offers"
        if (pair.person, pair.offer) in seen:
            yield f"pairs.{number}: {pair.person} and {pair.offer} stand there twice; a pair has one worth"
        seen.add((pair.person, pair.offer))
