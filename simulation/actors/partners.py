"""The partners publish their offers: each on the day on which it tells the network, all of a day in one list.

Before the first of them the network's coordinator enters all partners into the directory, with their agreements and services, in one
list too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from schemas.codes import Daypart, LotseTopic, Role, ServiceKind, Weekday
from schemas.labels import label
from schemas.places import district
from simulation import assumptions
from simulation.doors import Who
from simulation.partners import Offer, Partner
from simulation.world import World, partner

MOST_OFFERS: Final = 200
"""In one request."""

COORDINATOR: Final = Who(Role.COORDINATOR, "coordination")
SEAT: Final = "seat"


class Publishers:
    """Every partner of the county, in the order of their names."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._offers: Iterator[Offer] = iter(world.offers)
        self._next = next(self._offers, None)
        self._are_listed = False
        self._seats = {one.code: one.seat for one in world.county.partners}

    @property
    def next_day(self) -> date | None:
        return self._next.published_on if self._next else None

    async def act(self, today: date) -> int:
        if not self._are_listed:
            await self._enter()
            self._are_listed = True
        by_partner: defaultdict[str, list[Offer]] = defaultdict(list)
        while self._next is not None and self._next.published_on <= today:
            by_partner[self._next.partner].append(self._next)
            self._next = next(self._offers, None)
        for code, offers in sorted(by_partner.items()):
            at_once = [offer for offer in offers if offer.slots is None]
            for first in range(0, len(at_once), MOST_OFFERS):
                await self._publish(code, at_once[first : first + MOST_OFFERS])
            for offer in offers:
                if offer.slots is not None:
                    await self._publish_row(offer)
        return sum(map(len, by_partner.values()))

    async def _enter(self) -> None:
        world = self._world
        body = {"partners": [listed(one, world.county.year) for one in world.county.partners]}
        answer = await world.doors.post("referral", "/v1/directory/partners", COORDINATOR, body, key="directory")
        _all_applied(answer, "a partner")

    async def _publish(self, code: str, offers: list[Offer]) -> None:
        world = self._world
        body = {"offers": [{"id": world.offer_id(offer), **terms(offer, self._is_at_seat(offer))} for offer in offers]}
        key = f"offers-{offers[0].key}"
        answer = await world.doors.post("referral", "/v1/offers", partner(code), body, key=key)
        _all_applied(answer, f"an offer of {code}")
        world.done["offers"] += len(offers)

    def _is_at_seat(self, offer: Offer) -> bool:
        """Whether it takes place where the partner has its house."""
        return self._seats[offer.partner] == offer.district

    async def _publish_row(self, offer: Offer) -> None:
        world = self._world
        row = world.offer_id(offer)
        path, body = f"/v1/slot-rows/{row}", slot_row(offer)
        answer = await world.doors.put("referral", path, partner(offer.partner), body, key=f"row-{offer.key}")
        _all_applied(answer, f"an appointment of {offer.partner}")
        world.done["offers"] += len(answer["items"])


def slot_row(offer: Offer) -> dict[str, Any]:
    """An offer by appointment: so many each week, one after the other, on one day of the week from the next week on."""
    if offer.slots is None:
        raise ValueError("this offer is not given by appointment")
    begins, day = assumptions.COURSE_TIMES[offer.dayparts[0]][0], offer.published_on + timedelta(days=7)
    start = int(begins[:2]) * 60 + int(begins[3:])
    ends = start + offer.slots * assumptions.SLOT_MINUTES
    weekday = Weekday.SATURDAY if offer.dayparts[0] is Daypart.WEEKEND else Weekday.TUESDAY
    row = {
        "times": [{"weekday": weekday, "begins": begins, "ends": f"{ends // 60:02}:{ends % 60:02}"}],
        "minutes": assumptions.SLOT_MINUTES,
        "way": offer.way,
        "first": day.isoformat(),
        "last": (day + timedelta(weeks=assumptions.SLOT_WEEKS, days=-1)).isoformat(),
    }
    common = terms(offer)
    for name in ("seats", "dayparts", "particulars", "starts_on", "ends_on"):
        del common[name]
    return {**common, "row": row}


def _all_applied(answer: dict[str, Any], what: str) -> None:
    for item in answer["items"]:
        if item["outcome"] != "applied":
            raise RuntimeError(f"{what} was not taken: {item['problem']['code']}")


def listed(one: Partner, year: int) -> dict[str, Any]:
    """A partner as the directory takes it. Its agreement is older than the year, and has no end."""
    signed = date(year - 1, 1, 1).isoformat()
    return {
        "code": one.code,
        "entry": {
            "name": one.name,
            "description": {"de": "Erfunden für die Vorführung.", "en": "Made up for the demonstration."},
            "website": f"https://{one.code}.example/",
            "sites": [{"code": SEAT, "name": one.name, "district": one.seat, **_point(one.seat)}],
        },
        "agreement": {"kinds": one.kinds, "fields": one.fields, "signed_on": signed, "valid_from": signed},
        "services": [
            {
                "code": kind,
                "entry": {
                    "kind": kind,
                    "name": {"de": label(kind, "de"), "en": label(kind, "en")},
                    "description": {"de": label(kind, "de"), "en": label(kind, "en")},
                    "sites": [SEAT],
                },
            }
            for kind in one.kinds
        ],
    }


def _point(key: str) -> dict[str, float]:
    """In the middle of the district."""
    found = district(key)
    return {"latitude": found.latitude, "longitude": found.longitude}


def particulars(offer: Offer, *, at_seat: bool) -> dict[str, Any] | None:
    """What courses, volunteer guides, interpreters and child care say besides. A volunteer is a number of the partner's own."""
    if offer.starts_on is not None and offer.minimum is not None and offer.kind is not ServiceKind.CHARITABLE_WORK:
        times = [time for part in offer.dayparts for time in _times(part)]
        return {"sort": "course", "minimum": offer.minimum, "times": times, "site": SEAT if at_seat else None}
    if offer.kind is ServiceKind.LOTSE:
        signed = (offer.published_on - timedelta(days=assumptions.VOLUNTEERS_SIGNED)).isoformat()
        days = {"confidentiality_signed_on": signed, "conduct_inspected_on": signed}
        return {"sort": "lotse", "volunteer": offer.key, "topics": list(LotseTopic), **days}
    if offer.kind is ServiceKind.INTERPRETER:
        return {"sort": "interpreter-hours", "way": offer.way}
    if offer.kind is ServiceKind.CHILD_CARE_PLACE:
        site = SEAT if at_seat else None
        return {"sort": "child-care", "hours_a_week": assumptions.CHILD_CARE_HOURS, "site": site}
    return None


def _times(part: Daypart) -> list[dict[str, str]]:
    begins, ends = assumptions.COURSE_TIMES[part]
    days = [Weekday.SATURDAY] if part is Daypart.WEEKEND else assumptions.COURSE_WEEKDAYS
    return [{"weekday": day, "begins": begins, "ends": ends} for day in days]


def terms(offer: Offer, at_seat: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - where it is, and no option
    """An offer as the service takes it; `at_seat`: at the partner's own site."""
    asks = offer.asks
    ends_on = offer.starts_on + timedelta(weeks=offer.weeks) if offer.starts_on else None
    return {
        "partner": offer.partner,
        "kind": offer.kind,
        "district": offer.district,
        "seats": offer.seats,
        "dayparts": list(offer.dayparts),
        "cefr_from": offer.german_from,
        "cefr_to": offer.german_to,
        "ages": list(offer.ages) if offer.ages else None,
        "languages": list(offer.languages),
        "child_care": offer.child_care,
        "child_care_ages": list(assumptions.CARE_AGES) if offer.child_care and offer.starts_on else None,
        "rhythm": asks.rhythm,
        "literacy": list(asks.literacy),
        "admission": None if asks.self_payers is None else {"self_payers": asks.self_payers},
        "places": list(asks.places),
        "accessibility": list(asks.accessibility),
        "particulars": particulars(offer, at_seat=at_seat),
        "starts_on": offer.starts_on.isoformat() if offer.starts_on else None,
        "ends_on": ends_on.isoformat() if ends_on else None,
    }
