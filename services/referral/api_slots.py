"""The door for counselling slots: a weekly row of appointments is sent once, and each appointment is an offer of its own."""

from __future__ import annotations

from itertools import islice

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from schemas.events import Uuid
from services.referral.api_offers import MOST_AT_ONCE, NewOffer, Publisher, Publishing, may_publish
from services.referral.offers import OfferTerms
from services.referral.slots import SlotRow
from services.runtime.problems import Problem
from services.runtime.web import IdempotencyKey


class RowBody(OfferTerms):
    """What holds for all appointments of the row, and the row itself. Days, parts of the day and particulars follow from it."""

    row: SlotRow

    @property
    def terms(self) -> OfferTerms:
        """What all have in common."""
        return OfferTerms.model_validate(self.model_dump(exclude={"row"}))


def add_slots(router: APIRouter, publishing: Publishing) -> None:
    @router.put("/slot-rows/{row}")
    async def publish_row(
        request: Request, actor: Publisher, key: IdempotencyKey, row: Uuid, body: RowBody
    ) -> Response:
        """Publish a row of appointments, up to 200 at once, each with an outcome of its own. Sent again, it adds what is new; an
        appointment is taken back like any offer, by closing it."""
        may_publish(actor, body)
        found = list(islice(body.row.slots(row, body.terms), MOST_AT_ONCE + 1))
        if not found:
            raise Problem("no-slots", 422)
        if len(found) > MOST_AT_ONCE:
            raise Problem(
                "too-many-slots", 422, slots=sum(1 for _ in body.row.slots(row, body.terms)), most=MOST_AT_ONCE
            )
        offers = [NewOffer(**terms.model_dump(), id=id, seats=1) for id, terms in found]
        return await publishing.publish_all(request, actor, key, offers)
