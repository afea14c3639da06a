"""Whether the books of a run balance: `differences` says whatever does not fit, each in a sentence.

Everybody, every need and every seat is where the generated county, the simulation's own record and the services agree that it is.

Reporting's counts are held to two things. What it counts of living people is exactly what the services that own it say of them, and what
was done here. What it keeps of erased people is nobody's any more: it has a bound, and of arrivals, whose months had long been closed, it
keeps one for each of them. And nobody has heard less than was told, so that nothing is missing at the end of any sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from schemas.codes import Way
from simulation import assumptions
from simulation.actors.capacity import TAKEN_BACK
from simulation.actors.referrals import PROPOSAL
from simulation.books import Books
from simulation.rows import Fate, fate_of
from simulation.world import World

COUNTED_AS: Final = {
    "release": ("released",),
    "agreement": ("agreed",),
    "refusal": ("refused",),
    "acceptance": ("accepted",),
    "decline": ("declined",),
    "start": ("started",),
    "completion": ("completed",),
    "failure": ("failed",),
}
"""What reporting calls the steps that people take in a referral."""

ENDS: Final = ("rejected", "refused", "declined", "lapsed", "cancelled", "completed", "failed")
"""The states in which a referral ends; reporting calls them the same."""

LIVE: Final = ("proposed", "released", "agreed", "received", "accepted", "scheduled", "started", "unattended", "paused")
"""The other states of a referral."""

SURELY_CLOSED: Final = timedelta(days=60)
"""After so long the month of an arrival has been closed, whatever day it was: a month is, two weeks after its end."""


def differences(books: Books) -> list[str]:
    """Whatever does not fit, each in one sentence; empty when the books balance."""
    return [
        *_of_people(books),
        *_of_cases(books),
        *_of_needs(books),
        *_of_seats(books),
        *_of_events(books),
        *_of_counts(books),
        *_of_the_living(books),
        *_of_the_erased(books),
    ]


def _of_people(books: Books) -> Iterator[str]:
    world, states = books.world, books.states
    people = len(world.arrived)
    yield from _same("people whom the offices handed over", people, "people in the states", sum(states.values()))
    fates = dict.fromkeys(Fate, 0)
    for index in world.arrived:
        fates[fate_of(world.county.seed, world.person(index))] += 1
    for what, expected, found in (
        ("people whose rows stay wrong", fates[Fate.REFUSED], len(world.refused)),
        ("people who refused the consent", fates[Fate.COUNTED], books.intake["without_consent"]),
        ("people who agreed", fates[Fate.REGISTERED], books.intake["registered"]),
        ("people who asked to be erased", len(world.erased), books.intake["erased"]),
        ("people who moved away", len(world.moved_away - world.erased), books.intake["moved"]),
        (
            "people who withdrew their consent",
            len(world.withdrawn - world.moved_away - world.erased),
            books.intake["withdrawn"],
        ),
    ):
        yield from _same(f"{what}, by the generated county", expected, "by the import and intake", found)


def _of_cases(books: Books) -> Iterator[str]:
    intake, stages = books.intake, books.profiling["cases"]
    registered = intake["registered"]
    yield from _same("cases of intake", registered, "cases in a stage of profiling", sum(stages.values()))
    yield from _same("erased cases of intake", intake["erased"], "of profiling", stages["erased"])
    ended = intake["moved"] + intake["withdrawn"]
    yield from _same("cases that ended in intake", ended, "in profiling", stages["ended"])
    yield from _same("cases of intake", registered, "cases of referral", books.referral["cases"])
    for service, status in books.statuses.items():
        if status["parked"]:
            yield f"In {service} {status['parked']} events wait for one that is missing."
        if status["dead_letters"]:
            yield f"In {service} {status['dead_letters']} records could not be applied."


def _of_needs(books: Books) -> Iterator[str]:
    needs, referrals = books.referral["needs"], books.referral["referrals"]
    sought = sum(needs.values()) - needs["withdrawn"]
    yield from _same("confirmed needs of profiling", books.profiling["needs"]["confirmed"], "of referral", sought)
    because = sum(books.referral["waiting_because"].values())
    yield from _same("waiting needs of referral", needs["waiting"], "with a reason", because)
    for state in sorted(referrals.keys() - {*LIVE, *ENDS}):
        yield f"Referral has {referrals[state]} referrals in the state {state}, which these books do not know."


def _of_seats(books: Books) -> Iterator[str]:
    referral = books.referral
    if referral["overbooked"]:
        number = len(referral["overbooked"])
        yield f"{number} offers have more people than seats, the first of them {referral['overbooked'][0]}."
    if not referral["balanced"]:
        yield "In referral the seats that are held are not those of the referrals that live."
    ever = referral["seats"] + books.world.done[TAKEN_BACK]
    if books.seats_taken_max > ever:
        yield f"At one time {books.seats_taken_max} seats were taken, but there were only {ever}."


def _of_events(books: Books) -> Iterator[str]:
    """The end of a sequence may be missing without a gap; the sum of the numbers shows it."""
    for reader, numbers in books.numbers.items():
        for teller, heard in numbers["heard"].items():
            for kind, number in heard.items():
                told = books.numbers[teller]["told"].get(kind, 0)
                yield from _same(f"events about a {kind} told by {teller}", told, f"heard by {reader}", number)


def _of_counts(books: Books) -> Iterator[str]:
    """Reporting beside itself."""
    reporting = books.reporting
    for line in reporting["lines"]:
        if line["difference"]:
            told = line["counted"] - line["difference"]
            yield f"The table {line['table']} counts {line['counted']}, and the facts say {told}."
    for name, counted in reporting["totals"].items():
        known = reporting["facts"][name] + reporting["kept"][name]
        yield from _same(f"{name} in the facts and kept", known, "counted by reporting", counted)
    kept = {line["table"]: line["kept"] for line in reporting["lines"] if line["table"].startswith("arrivals-by-")}
    if len(set(kept.values())) > 1:
        yield f"Of erased people the tables of arrivals keep different numbers: {kept}."
    if reporting["incomplete"]:
        yield f"Reporting knows something of {reporting['incomplete']} people whose arrival it has not heard of."


def _of_the_living(books: Books) -> Iterator[str]:
    """Reporting beside the others. (How many needs ever waited is known to reporting alone.)"""
    world, intake, profiling, facts = books.world, books.intake, books.profiling, books.reporting["facts"]
    referrals, erased = books.referral["referrals"], world.erased
    at_the_counter = _asked_at_a_counter(world, Fate.REGISTERED) - _erased_of_a_counter(world)
    for what, expected, of in (
        ("people known to intake", intake["registered"] - intake["erased"], "persons"),
        ("people who agreed at a counter", at_the_counter, "at_the_counter"),
        ("people who refused at a counter", _asked_at_a_counter(world, Fate.COUNTED), "without_consent"),
        ("people who withdrew their consent", len(world.withdrawn - erased), "withdrawn"),
        ("people who left the county, by intake", intake["moved"], "departed"),
        ("appointments of intake", intake["appointments"], "appointments"),
        # Whoever takes an answer back would have an incomplete profile again; nobody here does.
        ("complete profiles of profiling", profiling["complete"], "profiled"),
        ("confirmed needs of profiling", profiling["needs"]["confirmed"], "needs"),
        ("seats of referral", books.referral["seats"], "seats"),
        # A proposal may be gone before a counsellor sees it (the person moved): referral alone knows them all.
        ("referrals of referral", sum(referrals.values()), "proposed"),
    ):
        yield from _same(what, expected, f"{of} of living people counted by reporting", facts[of])
    refused = intake["without_consent"]
    yield from _same("people without consent, by intake", refused, "known to reporting", books.reporting["anonymous"])
    for state in ENDS:
        yield from _same(f"referrals {state}, by referral", referrals[state], "counted by reporting", facts[state])
    yield from _same("completed referrals", facts["completed"], "outcomes, counted by reporting", facts["outcomes"])
    yield from _same("referrals that failed", facts["failed"], "reasons, counted by reporting", facts["failures"])
    for step, names in COUNTED_AS.items():
        taken = sum(times for case, times in world.steps[step].items() if case not in erased)
        counted = sum(facts[name] for name in names)
        yield from _same(f"times the step {step} of living people", taken, "counted by reporting", counted)


def _of_the_erased(books: Books) -> Iterator[str]:
    """What reporting keeps of them has no owner any more, so nobody can say it exactly, but for the arrivals."""
    world, kept, erased = books.world, books.reporting["kept"], books.world.erased
    yield from _same("erased people, by intake", books.intake["erased"], "by reporting", books.reporting["erased"])
    surely = sum(after >= SURELY_CLOSED for after in world.erased_after.values())
    at_the_counter = _erased_of_a_counter(world)
    steps = {step: sum(world.steps[step][case] for case in erased) for step in (PROPOSAL, *COUNTED_AS)}
    most = {
        "persons": len(erased),
        "at_the_counter": at_the_counter,
        "without_consent": 0,
        "withdrawn": len(world.withdrawn & erased),
        "departed": len(world.moved_away & erased),
        "appointments": len(erased) * assumptions.INVITED_AT_MOST,
        "profiled": len(erased),
        "proposed": steps[PROPOSAL],
        "seats": 0,
    }
    least = {"persons": surely, "at_the_counter": at_the_counter - (len(erased) - surely)}
    for name, number in kept.items():
        yield from _within(name, least.get(name, 0), number, most.get(name) if erased else 0)
    for step, names in COUNTED_AS.items():
        yield from _within(" and ".join(names), 0, sum(kept[name] for name in names), steps[step])
    for state in ENDS:
        yield from _within(state, 0, kept[state], kept["proposed"])


def _asked_at_a_counter(world: World, fate: Fate) -> int:
    """People with this fate who did not come to the centre itself."""
    seed, people = world.county.seed, map(world.person, world.arrived)
    return sum(person.way is not Way.CENTRE and fate_of(seed, person) is fate for person in people)


def _erased_of_a_counter(world: World) -> int:
    return sum(world.person_in(case).way is not Way.CENTRE for case in world.erased)


def _same(what: str, expected: int, where: str, found: int) -> Iterator[str]:
    if expected != found:
        yield f"There are {expected} {what}, but {found} {where}."


def _within(name: str, least: int, kept: int, most: int | None) -> Iterator[str]:
    if kept < least or (most is not None and kept > most):
        expected = f"at least {least}" if most is None else f"{least}" if least == most else f"{least} to {most}"
        yield f"Of erased people reporting keeps {kept} {name}, and can only have kept {expected}."
