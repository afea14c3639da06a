"""Finding and giving up slots for first talks.

Guaranteed: a slot is given to one person only (a daybook cannot hold two, and its version guards it against another writer), on a working
day of the site, not before the county's lead time, and it is the earliest free one from the wished day on. Releasing a slot makes it
free for the next.

A search starts where the calendar says that days are open, so it costs the same when years are booked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Final

from schemas.envelope import Subject
from services.intake.facts import GapClosed, GapOpened, OpenFrom, SlotBooked, SlotFreed
from services.intake.holidays import first_working_day, next_working_day
from services.intake.model import Appointment, Booking, Calendar, Daybook, calendar_id, daybook_id
from services.intake.sites import CountyRules, Site
from services.runtime.calendar import berlin_day, berlin_instant
from services.runtime.deciding import States

WINDOW: Final = 4
"""Days without any booking that are loaded at once while looking for a free slot; full ones before them do not count."""

CROWDED_WINDOW: Final = 12
"""The same at a site that is booked up beyond the lead time: a whole file may be on its way there."""

Fact = tuple[Subject, object]


def evolve_daybook(book: Daybook, fact: object) -> Daybook:
    match fact:
        case SlotBooked(site, day, slot, booking):
            return book.with_booking(site, day, slot, booking)
        case SlotFreed(appointment):
            return book.without(appointment)
        case _:
            raise TypeError(type(fact).__name__)


def evolve_calendar(calendar: Calendar, fact: object) -> Calendar:
    match fact:
        case OpenFrom(day, gaps_from):
            return calendar.but(open_from=day, gaps=tuple(gap for gap in calendar.gaps if gap >= gaps_from))
        case GapOpened(day):
            return calendar.but(gaps=tuple(sorted({*calendar.gaps, day})))
        case GapClosed(day):
            return calendar.but(gaps=tuple(gap for gap in calendar.gaps if gap != day))
        case _:
            raise TypeError(type(fact).__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """Where a slot is looked for, and from which day on. `ordinary` is the first day without a wish."""

    rules: CountyRules
    site: Site
    ordinary: date
    first: date

    @classmethod
    def of(cls, rules: CountyRules, site: Site, today: date, not_before: date | None = None) -> Wish:
        ordinary = first_working_day(today + timedelta(days=rules.lead_days))
        first = ordinary if not_before is None or not_before <= ordinary else first_working_day(not_before)
        return cls(rules, site, ordinary, first)

    @property
    def calendar(self) -> str:
        return calendar_id(self.rules.county, self.site.code)

    def daybook(self, day: date) -> str:
        return daybook_id(self.rules.county, self.site.code, day)

    def days(self, calendar: Calendar) -> Iterator[date]:
        """The days to look at, in order and without end: gaps first, then from where the site is open."""
        yield from (gap for gap in calendar.gaps if gap >= self.first)
        day = max(self.first, calendar.open_from or self.first)
        while True:
            if self.site.slots(day):
                yield day
            day = next_working_day(day)

    def free_slot(self, book: Daybook, day: date) -> str | None:
        return next((slot for slot in self.site.slots(day) if slot not in book.taken), None)


def names_to_book(wish: Wish, states: States) -> Iterator[Subject]:
    """The calendar, and days until one has room; of days that nobody has booked yet (or that are not loaded), a window."""
    yield Subject(Calendar.KIND, wish.calendar)
    calendar = states.known(Calendar, wish.calendar) or Calendar(id=wish.calendar)
    window = CROWDED_WINDOW if (calendar.open_from or wish.ordinary) > wish.ordinary else WINDOW
    unseen = 0
    for day in wish.days(calendar):
        id = wish.daybook(day)
        yield Subject(Daybook.KIND, id)
        book = states.known(Daybook, id)
        if book is None:
            unseen += 1
            if unseen == window:
                return
        elif wish.free_slot(book, day) is not None:
            return


def names_to_release(county: str, appointments: Iterable[Appointment]) -> Iterator[Subject]:
    for appointment in appointments:
        yield Subject(Daybook.KIND, daybook_id(county, appointment.site, berlin_day(appointment.starts_at)))
        yield Subject(Calendar.KIND, calendar_id(county, appointment.site))


class Diary:
    """The daybooks and calendars of one decision. What is done is seen by what is done next; `facts` are what happened."""

    def __init__(self, states: States, county: str) -> None:
        self._states = states
        self._county = county
        self.facts: list[Fact] = []

    def book(self, wish: Wish, case: str, appointment: str, interpreter: str | None) -> Appointment:
        """Take the earliest free slot."""
        calendar = self._calendar(wish.calendar)
        for day in wish.days(calendar):
            book = self._book(wish.daybook(day))
            slot = wish.free_slot(book, day)
            if slot is not None:
                break
        else:
            raise AssertionError("days have no end")
        booking = Booking(appointment=appointment, case=case, interpreter=interpreter)
        self.facts.append((book.subject, SlotBooked(wish.site.code, day, slot, booking)))
        is_full = len(book.taken) + 1 == len(wish.site.slots(day))
        if day in calendar.gaps:
            if is_full:
                self.facts.append((calendar.subject, GapClosed(day)))
        elif wish.first <= max(wish.ordinary, calendar.open_from or wish.ordinary):
            # The search began where the site is open, so every day before this one is full or over.
            open_from = next_working_day(day) if is_full else day
            if open_from > max(wish.ordinary, calendar.open_from or wish.ordinary):
                self.facts.append((calendar.subject, OpenFrom(open_from, gaps_from=wish.ordinary)))
        return Appointment(id=appointment, site=wish.site.code, starts_at=starts_at(day, slot), interpreter=interpreter)

    def release(self, appointment: Appointment, today: date) -> None:
        """Free a slot. One that lies in the past is only emptied."""
        day = berlin_day(appointment.starts_at)
        book = self._book(daybook_id(self._county, appointment.site, day))
        self.facts.append((book.subject, SlotFreed(appointment.id)))
        calendar = self._calendar(calendar_id(self._county, appointment.site))
        passed_by = calendar.open_from is not None and day < calendar.open_from
        if passed_by and day > today and day not in calendar.gaps:
            self.facts.append((calendar.subject, GapOpened(day)))

    def _book(self, id: str) -> Daybook:
        return reduce(evolve_daybook, self._facts_of(Daybook.KIND, id), self._states.get(Daybook, id))

    def _calendar(self, id: str) -> Calendar:
        return reduce(evolve_calendar, self._facts_of(Calendar.KIND, id), self._states.get(Calendar, id))

    def _facts_of(self, kind: str, id: str) -> list[object]:
        """What this decision has done to a state so far; nearly always nothing."""
        return [fact for subject, fact in self.facts if subject == (kind, id)]


def starts_at(day: date, slot: str) -> datetime:
    """The instant (UTC) at which a slot begins."""
    return berlin_instant(day, int(slot[:2]), int(slot[3:5]))
