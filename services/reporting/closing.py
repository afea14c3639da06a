"""The settings of the calendar: when a month counts as closed.

Until then an erasure takes a person's records out of the month; afterwards the month may have been published, and the records stay in it
without anything that leads to the person. Figures of closed months still change when something is reported late or corrected.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from services.reporting.coarsening import first_day_after
from services.runtime.calendar import berlin_instant

CLOSING_DELAY_DAYS: Final = 14
"""Days after the end of a month in which offices and partners report what belongs to it. A county may want another number."""


def is_closed(month: str, now: datetime) -> bool:
    """Whether a month (``2016-03``) is closed at an instant: midnight in Germany after the delay has come."""
    return now >= _closes(month)


@lru_cache(maxsize=1024)
def _closes(month: str) -> datetime:
    return berlin_instant(first_day_after(month) + timedelta(days=CLOSING_DELAY_DAYS))
