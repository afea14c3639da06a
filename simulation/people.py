"""Made-up newcomers: what their office writes down, and what nobody knows yet.

`person` is a pure function of seed, number and surroundings. Person 17 has the same traits however many people there are; only the days
on which things happen follow from the place in the year's queue (`register.arrived_on`). Children and parents are made independently of
each other: there are no households yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.codes import Purpose, Way
from schemas.places import Municipality
from simulation import assumptions, lives, naming
from simulation.chance import Chance, Odds
from simulation.register import Identity, Register, identity, register
from simulation.situations import Situation, situation


@dataclass(frozen=True, slots=True)
class CounterConsent:
    """The one consent of the counter: passing name, contact and language to the migration centre."""

    given: bool
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """One newcomer. `index` is the place in the queue of arrivals, from 0. What does not happen is None.

    `truth` is who the person is, `register` what the office wrote down on `registered_on`. `purposes` are those the person agrees to in the
    first talk. `missed_appointments` bookings pass unused before the talk; `assumptions.NEVER_COMES` means that it never comes about.
    """

    index: int
    way: Way
    registered_on: date
    truth: Identity
    register: Register
    consent: CounterConsent
    purposes: tuple[Purpose, ...]
    missed_appointments: int
    situation: Situation
    correction: lives.Correction | None
    move: lives.Move | None
    withdrawal: lives.Withdrawal | None
    erasure: lives.Erasure | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the people of one county and year are drawn from."""

    seed: int
    year: int
    groups: Odds[str]
    places: Odds[Municipality]


def person(index: int, arrived_on: date, around: Surroundings) -> Person:
    """Person number `index`, who moves in on `arrived_on`."""
    seed = around.seed
    place = around.places.draw(Chance(seed, "place", index))
    who = identity(seed, index, around.groups.draw(Chance(seed, "group", index)), around.year)
    written = register(seed, index, who, place, arrived_on)
    counter = Chance(seed, "counter", index)
    registered_on = lives.office_day(counter.day(arrived_on, assumptions.DAYS_UNTIL_REGISTERED))
    talk = Chance(seed, "talk", index)
    return Person(
        index=index,
        way=_WAYS.draw(counter),
        registered_on=registered_on,
        truth=who,
        register=written,
        consent=_consent(Chance(seed, "consent", index), written.languages),
        purposes=tuple(purpose for purpose in lives.TALK_PURPOSES if talk.happens(assumptions.PURPOSE_AGREED)),
        missed_appointments=_MISSED.draw(talk),
        situation=situation(
            seed, index, who.group, around.year - who.born_on.year - 1, latin=naming.languages()[who.languages[0]].latin
        ),
        correction=lives.correction(seed, index, who, written, registered_on),
        move=lives.move(seed, index, place.ars, around.places, registered_on),
        withdrawal=lives.withdrawal(seed, index, registered_on),
        erasure=lives.erasure(seed, index, registered_on),
    )


_WAYS: Final = Odds(assumptions.WAYS_IN)
_MISSED: Final = Odds(assumptions.MISSED_APPOINTMENTS)


def _consent(chance: Chance, told: tuple[str, ...]) -> CounterConsent:
    language = told[0] if told and chance.happens(assumptions.CONSENT_IN_OWN_LANGUAGE) else "deu"
    return CounterConsent(not chance.happens(assumptions.CONSENT_REFUSED), language, assumptions.CONSENT_TEXT)
