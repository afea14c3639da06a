"""What happens to made-up people after they registered: corrections, moves, withdrawals, erasures.

Each is decided when the person is made and lies on a stated day, which the actors wait for. What the services do about it is not said here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from schemas.codes import Purpose, Sex
from schemas.places import Municipality
from simulation import assumptions, naming
from simulation.chance import Chance, Odds
from simulation.register import Identity, Register, whole

TALK_PURPOSES: Final = tuple(purpose for purpose in Purpose if purpose is not Purpose.TRANSFER)
"""The consents that are asked for in the first talk."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The register as it should have been, told `on` a later day. `kind` names what was wrong."""

    on: date
    kind: str
    register: Register


@dataclass(frozen=True, slots=True)
class Move:
    """A move within the county, or out of it (`municipality` is None)."""

    on: date
    municipality: str | None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Consent taken back. `transfer` among the purposes means all of it."""

    on: date
    purposes: tuple[Purpose, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """The person asks to be forgotten."""

    on: date


def office_day(day: date) -> date:
    """The same day, or the Monday after a weekend: offices open Monday to Friday."""
    return day + timedelta(days=7 - day.weekday()) if day.weekday() > 4 else day


def correction(seed: int, index: int, who: Identity, written: Register, registered_on: date) -> Correction | None:
    """Always one that changes something: where the drawn kind would not, the spelling of the name does."""
    chance = Chance(seed, "correction", index)
    if not chance.happens(assumptions.CORRECTED):
        return None
    on = office_day(chance.day(registered_on, assumptions.CORRECTED_AFTER))
    kind = _CORRECTIONS.draw(chance)
    right = _put_right(kind, who, written, chance)
    if right == written:
        kind, right = "spelling", _put_right("spelling", who, written, chance)
    return Correction(on, kind, right)


def _put_right(kind: str, who: Identity, written: Register, chance: Chance) -> Register:
    match kind:
        case "birth-date":
            return replace(written, birth_date=whole(who.born_on))
        case "citizenship":
            return replace(written, citizenships=(_CITIZENSHIPS[who.group].draw(chance),))
        case "sex":
            return replace(written, sex=who.sex or Sex.NONE)
        case "languages":
            return replace(written, languages=(*who.languages, "deu"))
        case "residence-group":
            return replace(written, residence_group=who.residence_group)
        case _:
            given = naming.with_second_given_name(
                written.given_names, who.languages[0], feminine=who.feminine_name, chance=chance
            )
            return replace(written, given_names=given)


def move(seed: int, index: int, home: str, places: Odds[Municipality], registered_on: date) -> Move | None:
    """A move away from the municipality `home` (ARS)."""
    chance = Chance(seed, "move", index)
    if not chance.happens(assumptions.MOVES):
        return None
    on = chance.day(registered_on, assumptions.MOVES_AFTER)
    if chance.happens(assumptions.MOVES_OUT):
        return Move(on, None)
    target = places.draw(chance).ars
    while target == home:
        target = places.draw(chance).ars
    return Move(on, target)


def withdrawal(seed: int, index: int, registered_on: date) -> Withdrawal | None:
    """Consent taken back, all of it or one purpose of the first talk."""
    chance = Chance(seed, "withdrawal", index)
    if not chance.happens(assumptions.WITHDRAWS):
        return None
    on = chance.day(registered_on, assumptions.WITHDRAWS_AFTER)
    if chance.happens(assumptions.WITHDRAWS_ALL):
        return Withdrawal(on, (Purpose.TRANSFER,))
    return Withdrawal(on, (chance.one_of(TALK_PURPOSES),))


def erasure(seed: int, index: int, registered_on: date) -> Erasure | None:
    """A wish to be forgotten."""
    chance = Chance(seed, "erasure", index)
    return Erasure(chance.day(registered_on, assumptions.ERASED_AFTER)) if chance.happens(assumptions.ERASED) else None


_CORRECTIONS: Final = Odds(assumptions.CORRECTIONS)
_CITIZENSHIPS: Final = {group: Odds(weights) for group, weights in assumptions.CITIZENSHIPS.items()}
