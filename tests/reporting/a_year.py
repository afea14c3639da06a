"""A whole made-up year as reporting would have counted it: thousands of people, without the services that would tell of them.

Who the people are comes from the simulation's county. What happened to them afterwards is drawn here, roughly as the simulation plays it:
for the tests of disclosure control it matters how many small cells there are, not who is in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from schemas.codes import FailReason, Outcome, ServiceKind, WaitReason
from schemas.countries import citizenship
from services.reporting.model import Appointment, Arrival, Count, Countable, Facts, Move, Need, Referral, Step, Wait
from simulation.chance import Chance, Odds
from simulation.county import County, generate
from simulation.people import Person

KINDS: Final = Odds({kind: 1 / place for place, kind in enumerate(ServiceKind, 1)})
"""A few kinds are frequent and many are rare, as needs are."""

OUTCOMES: Final = Odds({outcome: 1 / place for place, outcome in enumerate(Outcome, 1)})
WAITS: Final = Odds({reason: 1 / place for place, reason in enumerate(WaitReason, 1)})
FAILURES: Final = Odds({reason: 1 / place for place, reason in enumerate(FailReason, 1)})


def a_year(people: int = 3332, seed: int = 1) -> Iterator[Countable]:
    """The facts of everybody who came to the standard county in 2016. The same each time."""
    county = generate(people=people, seed=seed)
    for person in county.people():
        if person.consent.given:
            yield _facts(person, county, seed)
        else:
            month = person.register.arrived_on.isoformat()[:7]
            yield Count(id=f"count-{person.index}", district=person.register.district, arrived_in=month, way=person.way)


def _facts(person: Person, county: County, seed: int) -> Facts:
    written, chance = person.register, Chance(seed, "facts", person.index)
    came = written.arrived_on
    talk = chance.day(came, (5, 40))
    has_talk = chance.happens(0.85)
    needs = _needs(person, chance, talk) if has_talk else ()
    left = person.move
    return Facts(
        id=f"case-{person.index}",
        pseudonym=f"{seed}-{person.index}",
        arrival=Arrival(
            district=written.district,
            arrived_on=came,
            origin=written.origin,
            in_germany_since=written.in_germany_since,
            citizenships=tuple(citizenship(key) for key in written.citizenships),
            birth_year=written.birth_date.year if written.birth_date else None,
            sex=written.sex,
            residence_group=written.residence_group,
        ),
        way=person.way,
        moves=(Move(on=left.on, district=left.municipality[:9] if left.municipality else None),) if left else (),
        appointments=(Appointment(id=f"talk-{person.index}", on=talk),) if chance.happens(0.9) else (),
        withdrawn_on=chance.day(came, (10, 90)) if chance.happens(0.02) else None,
        profiled_on=talk if has_talk else None,
        needs=needs,
        waits=tuple(
            Wait(need=need.id, kind=need.kind, reason=WAITS.draw(chance), on=need.confirmed_on)
            for need in needs
            if chance.happens(0.3)
        ),
        referrals=tuple(_referral(need, chance) for need in needs if chance.happens(0.8)),
    )


def _needs(person: Person, chance: Chance, on: date) -> tuple[Need, ...]:
    kinds = sorted({KINDS.draw(chance) for _ in range(chance.between(1, 4))})
    return tuple(Need(id=f"need-{person.index}-{kind}", kind=kind, confirmed_on=on) for kind in kinds)


def _referral(need: Need, chance: Chance) -> Referral:
    day = need.confirmed_on
    steps = [(Step.PROPOSED, day), (Step.RELEASED, day)]
    came_of_it = ""
    if chance.happens(0.85):
        steps.append((Step.AGREED, day + timedelta(days=3)))
        if chance.happens(0.85):
            steps += [(Step.ACCEPTED, day + timedelta(days=8)), (Step.STARTED, day + timedelta(days=30))]
            if chance.happens(0.8):
                steps.append((Step.COMPLETED, day + timedelta(days=90)))
                came_of_it = OUTCOMES.draw(chance).value
            elif chance.happens(0.5):
                steps.append((Step.FAILED, day + timedelta(days=60)))
                came_of_it = FAILURES.draw(chance).value
        else:
            steps.append((Step.DECLINED, day + timedelta(days=8)))
    else:
        steps.append((Step.REFUSED, day + timedelta(days=3)))
    return Referral(id=f"referral-{need.id}", kind=need.kind, steps=tuple(steps), came_of_it=came_of_it)
