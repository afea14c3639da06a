"""The doors for offers: partners publish their own, coordinators for every partner; counsellors look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Month, Uuid
from services.referral import store as kept
from services.referral.commands import (
    CloseOffer,
    ConfirmSeats,
    EffortStanding,
    OfferStanding,
    PublishOffer,
    ReportEffort,
    SetSeats,
)
from services.referral.contradictions import contradictions
from services.referral.county import settings_of
from services.referral.offers import MOST_SEATS, OfferTerms
from services.referral.particulars import CounsellingSlot, Course, Effort, dayparts_of
from services.referral.publishing import tag_of
from services.referral.views import OfferView, offer_view
from services.referral.whom import Whom
from services.runtime import conditions
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import LANGUAGES, Catalogue, Language
from services.runtime.conditions import IfMatch
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.items import ItemOutcomes, Settled, item_outcome, nothing_new
from services.runtime.problems import FieldProblem, Problem, language, wrong_fields
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.web import IdempotencyKey, reply

MOST_AT_ONCE = 200

Publisher = Annotated[Actor, Depends(allow(Role.PARTNER, Role.COORDINATOR))]
Reader = Annotated[Actor, Depends(allow(Role.PARTNER, Role.COORDINATOR, Role.COUNSELLOR))]
Seats = Annotated[int, Field(ge=0, le=MOST_SEATS)]


class OfferBody(OfferTerms):
    """An offer with its number of seats."""

    seats: Seats

    @property
    def terms(self) -> OfferTerms:
        """The terms; the parts of the day follow from weekly times, or an appointment, where none are named."""
        told = OfferTerms.model_validate(self.model_dump(exclude={"seats", "id"}))
        if told.dayparts:
            return told
        match told.particulars:
            case Course(times=times):
                return told.model_copy(update={"dayparts": dayparts_of(times)})
            case CounsellingSlot() as slot if told.starts_on is not None:
                return told.model_copy(update={"dayparts": slot.dayparts_on(told.starts_on)})
            case _:
                return told


class NewOffer(OfferBody):
    """An offer of a list. The id is the sender's choice: sent again, it is the same offer."""

    id: Uuid


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Misshapen(Exception):
    """A row of a list that is no offer; `errors` as pydantic found them. It hinders no other row."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("not of the form of an offer")
        self.errors = [{**one, "loc": ("body", *one["loc"])} for one in errors]


def _alone(row: Any, read: ValidatorFunctionWrapHandler) -> NewOffer | Misshapen:
    try:
        return read(row)
    except ValidationError as wrong:
        return Misshapen(cast("Sequence[Mapping[str, Any]]", wrong.errors(include_input=False, include_url=False)))


class Offers(_Body):
    """Many offers at once."""

    offers: list[Annotated[NewOffer, WrapValidator(_alone)]] = Field(min_length=1, max_length=MOST_AT_ONCE)

    def rows(self) -> list[NewOffer | Misshapen]:
        """Each row, or what is wrong with its form."""
        return cast("list[NewOffer | Misshapen]", self.offers)


class Capacity(_Body):
    """Another number of seats. `confirm_affected`: also if people lose theirs by it; with `affected`, only if they are so many."""

    seats: Seats
    confirm_affected: bool = False
    affected: Annotated[int, Field(ge=0)] | None = None


class EffortBody(_Body):
    """What a volunteer guide gave in a month: whole hours, and visits."""

    hours: Annotated[int, Field(ge=0, le=744)]
    visits: Annotated[int, Field(ge=0, le=1000)]


def add_offers(router: APIRouter, running: Running, catalogue: Catalogue, publishing: Publishing) -> None:
    _add_looking(router, running, catalogue)
    _add_publishing(router, running, publishing)
    _add_seats(router, running)


def _add_looking(router: APIRouter, running: Running, catalogue: Catalogue) -> None:
    whom: dict[Language, Whom] = {spoken: Whom(catalogue, spoken) for spoken in LANGUAGES}

    @router.get("/offers", response_model=Page[OfferView])
    async def offers(request: Request, actor: Reader, page: Annotated[PageRequest, paging(str)]) -> Response:
        """The partner's own offers; all of them for coordinators and counsellors."""
        after = str(page.after[0]) if page.after else None
        found = await kept.list_offers(running.store(actor.county), partner_of(actor), after, page.fetch)
        shown = [offer for offer in found if offer.terms is not None]
        say = whom[language(request)]
        return reply(page.page(shown, lambda offer: offer_view(offer, say), lambda offer: (offer.id,)))

    @router.get("/offers/{offer}", response_model=OfferView, responses={304: {"description": "As it was read before."}})
    async def one_offer(request: Request, actor: Reader, offer: Uuid) -> Response:
        found = (await kept.offers(running.store(actor.county), [offer])).get(offer)
        if found is None or found.terms is None or partner_of(actor) not in (None, found.terms.partner):
            raise Problem("offer-not-found", 404)
        return conditions.told(request, reply(offer_view(found, whom[language(request)])), tag_of(found))


def _add_publishing(router: APIRouter, running: Running, publishing: Publishing) -> None:
    def today() -> date:
        return berlin_day(running.clock.now())

    @router.put("/offers/{offer}", response_model=OfferStanding)
    async def publish(actor: Publisher, key: IdempotencyKey, offer: Uuid, body: OfferBody) -> Response:
        """Publish an offer, or change one: its seats at any time, its terms while nobody holds a seat."""
        may_publish(actor, body)
        wrong = contradicting(body, actor.county, today())
        if wrong is not None:
            raise wrong
        return await running.send(actor, key, PublishOffer(offer=offer, terms=body.terms, seats=body.seats))

    @router.post("/offers", response_model=ItemOutcomes)
    async def publish_many(request: Request, actor: Publisher, key: IdempotencyKey, body: Offers) -> Response:
        """Publish many offers, each with an outcome of its own: one that contradicts itself hinders no other."""
        return await publishing.publish_all(request, actor, key, body.rows())


class Publishing:
    """Publishes many offers at once, each with an outcome of its own."""

    def __init__(self, running: Running, catalogue: Catalogue) -> None:
        self._running = running
        self._catalogue = catalogue

    async def publish_all(
        self, request: Request, actor: Actor, key: str, rows: Sequence[NewOffer | Misshapen]
    ) -> Response:
        """One that is misshapen, contradicts itself or is another partner's hinders no other."""
        settled: dict[int, Settled] = {}
        commands: dict[int, Command] = {}
        today = berlin_day(self._running.clock.now())
        for position, one in enumerate(rows):
            if isinstance(one, Misshapen):
                fields = wrong_fields(one.errors, request.app.state.known_names(), self._catalogue)
                settled[position] = Problem("invalid-fields", 422, fields=fields)
                continue
            if partner_of(actor) not in (None, one.partner):
                settled[position] = Refused("offer-of-another-partner", 403)
                continue
            if (wrong := contradicting(one, actor.county, today)) is not None:
                settled[position] = wrong
                continue
            data = PublishOffer(offer=one.id, terms=one.terms, seats=one.seats)
            commands[position] = Command(actor.county, key, data, actor.subject, place=position)
        settled |= zip(commands, await self._running.send_all(list(commands.values())), strict=True)
        spoken = language(request)
        items = [
            item_outcome("" if isinstance(one, Misshapen) else one.id, settled[position], self._catalogue, spoken)
            for position, one in enumerate(rows)
        ]
        return reply(ItemOutcomes(items=items), replayed=nothing_new(settled.values()))


def _add_seats(router: APIRouter, running: Running) -> None:
    @router.put("/offers/{offer}/seats", response_model=OfferStanding)
    async def set_seats(
        actor: Publisher, key: IdempotencyKey, offer: Uuid, body: Capacity, if_match: IfMatch = None
    ) -> Response:
        """Another number of seats. If they are fewer than are held or taken, the refusal names the referrals that would lose theirs;
        with `confirm_affected` they do, and the answer names them."""
        command = SetSeats(
            offer=offer,
            seats=body.seats,
            partner=partner_of(actor),
            confirm_affected=body.confirm_affected,
            affected=body.affected,
            if_match=conditions.wanted(if_match),
        )
        return await running.send(actor, key, command)

    @router.post("/offers/{offer}/confirmation", response_model=OfferStanding)
    async def confirm(actor: Publisher, key: IdempotencyKey, offer: Uuid) -> Response:
        """The number of seats is right as of today."""
        return await running.send(actor, key, ConfirmSeats(offer=offer, partner=partner_of(actor)))

    @router.put("/offers/{offer}/efforts/{month}", response_model=EffortStanding)
    async def report(actor: Publisher, key: IdempotencyKey, offer: Uuid, month: Month, body: EffortBody) -> Response:
        """The hours and visits of a volunteer guide in a month, for the reimbursement of expenses."""
        effort = Effort(month=month, hours=body.hours, visits=body.visits)
        return await running.send(actor, key, ReportEffort(offer=offer, effort=effort, partner=partner_of(actor)))

    @router.post("/offers/{offer}/closing", response_model=OfferStanding)
    async def close(actor: Publisher, key: IdempotencyKey, offer: Uuid) -> Response:
        """The offer does not take place (any more): its referrals are cancelled, and everybody waits again."""
        return await running.send(actor, key, CloseOffer(offer=offer, partner=partner_of(actor)))


def partner_of(actor: Actor) -> str | None:
    """The organisation to which a partner's sign-in is limited; None for those who may ask for every partner. Raises `Problem` 403."""
    if actor.role != Role.PARTNER:
        return None
    if actor.organisation is None:
        raise Problem("organisation-missing", 403)
    return actor.organisation


def may_publish(actor: Actor, body: OfferTerms) -> None:
    """Raises `Problem` 403 for an offer of another partner."""
    if partner_of(actor) not in (None, body.partner):
        raise Problem("offer-of-another-partner", 403)


def contradicting(body: OfferBody, county: str, day: date) -> Problem | None:
    """The refusal of an offer that contradicts itself, with its fields; None where it does not."""
    wrong = contradictions(body.terms, body.seats, county, settings_of(county, day))
    found = [FieldProblem(one.field, one.code, one.params) for one in wrong]
    return Problem("invalid-fields", 422, fields=found) if found else None
