"""A row of appointments: each week at these times, from one day to another, and each appointment an offer of its own with one seat.

So a round finds the appointment that suits the person, they agree to that very time, and no two people ever have the same one. The ids
follow from the row's, the day and the time: the same row sent again is the same appointments, and what somebody holds of it stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.codes import MeetingWay
from schemas.events import Code
from services.referral.offers import OfferTerms
from services.referral.particulars import WEEKDAYS, CounsellingSlot, WeeklyTime, clock_of, minutes
from services.runtime.deciding import Day
from services.runtime.ids import child

MOST_DAYS: Final = 366
MOST_TIMES: Final = 21
"""Times a week: three a day."""


class SlotRow(BaseModel):
    """Appointments of so many `minutes` one after the other, as many as fit, at each of the weekly `times` from the first to the last day
    (both included) but for those `left_out`. Of each the last proposal is so many days before (`notice_days`), so that there is time to
    ask the person and the counsellor."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: Annotated[tuple[WeeklyTime, ...], Field(min_length=1, max_length=MOST_TIMES)]
    minutes: Annotated[int, Field(ge=5, le=480)]
    way: MeetingWay
    site: Code | None = None
    first: Day
    last: Day
    left_out: Annotated[tuple[Day, ...], Field(max_length=MOST_DAYS)] = ()
    notice_days: Annotated[int, Field(ge=1, le=60)] = 5

    def slots(self, row: str, terms: OfferTerms) -> Iterator[tuple[str, OfferTerms]]:
        """The offers by their ids, in the order of time. `terms` say what holds for all of them."""
        for day in self._days():
            for begins in self._begins(day):
                slot = CounsellingSlot(begins=begins, minutes=self.minutes, way=self.way, site=self.site, row=row)
                yield (
                    child(row, f"slot/{day.isoformat()}/{begins}"),
                    terms.model_copy(
                        update={
                            "starts_on": day,
                            "enrol_until": day - timedelta(days=self.notice_days),
                            "dayparts": slot.dayparts_on(day),
                            "particulars": slot,
                        }
                    ),
                )

    def _days(self) -> Iterator[date]:
        long = min((self.last - self.first).days, MOST_DAYS)
        for day in (self.first + timedelta(days=number) for number in range(long + 1)):
            if day not in self.left_out:
                yield day

    def _begins(self, day: date) -> list[str]:
        found = {
            clock_of(begins)
            for time in self.times
            if time.weekday is WEEKDAYS[day.weekday()]
            for begins in range(minutes(time.begins), minutes(time.ends) - self.minutes + 1, self.minutes)
        }
        return sorted(found)
