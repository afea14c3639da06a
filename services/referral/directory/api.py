"""The doors for the directory: partners keep their own entry, coordinators everybody's and the agreements; all who refer people look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Code
from schemas.places import UnknownPlace, district
from services.referral import store as kept
from services.referral.directory.entries import Agreement, PartnerEntry, ServiceEntry
from services.referral.directory.keeping import (
    ConfirmPartner,
    ConfirmService,
    EntryStanding,
    OfPartner,
    PutPartner,
    PutService,
    RetirePartner,
    RetireService,
    SetAgreement,
)
from services.referral.directory.views import PartnerView, partner_view
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Catalogue
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.deciding import Command
from services.runtime.items import ItemOutcomes, item_outcome, nothing_new
from services.runtime.outcomes import Outcome
from services.runtime.problems import FieldProblem, Problem, language
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.web import IdempotencyKey, reply

MOST_AT_ONCE = 200
_APART = 1000
"""More than one partner has commands: places under one idempotency key stay apart by it."""

Keeper = Annotated[Actor, Depends(allow(Role.PARTNER, Role.COORDINATOR))]
Coordinator = Annotated[Actor, Depends(allow(Role.COORDINATOR))]
Reader = Annotated[Actor, Depends(allow(Role.PARTNER, Role.COORDINATOR, Role.COUNSELLOR, Role.SOCIAL_WORKER))]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ListedService(_Body):
    """A service of a list."""

    code: Code
    entry: ServiceEntry


class ListedPartner(_Body):
    """A partner of a list, with all that is known of it."""

    code: Code
    entry: PartnerEntry
    agreement: Agreement | None = None
    services: list[ListedService] = Field(default=[], max_length=100)

    def commands(self) -> Iterator[OfPartner]:
        """The partner first: its services need it."""
        yield PutPartner(partner=self.code, entry=self.entry)
        if self.agreement is not None:
            yield SetAgreement(partner=self.code, agreement=self.agreement)
        for service in self.services:
            yield PutService(partner=self.code, service=service.code, entry=service.entry)


class ListedPartners(_Body):
    """Many partners at once."""

    partners: list[ListedPartner] = Field(min_length=1, max_length=MOST_AT_ONCE)


def add_directory(router: APIRouter, running: Running, catalogue: Catalogue) -> None:
    _add_reading(router, running)
    _add_partners(router, running, catalogue)
    _add_services(router, running)


def _add_reading(router: APIRouter, running: Running) -> None:
    @router.get("/directory/partners", response_model=Page[PartnerView])
    async def partners(actor: Reader, page: Annotated[PageRequest, paging(str)]) -> Response:
        """All partners by code, with their services and open offers."""
        directory = await kept.directory(running.store(actor.county), berlin_day(running.clock.now()))
        after = str(page.after[0]) if page.after else ""
        found = [one for one in directory.partners if one.code > after][: page.fetch]
        return reply(
            page.page(
                found,
                lambda one: partner_view(one, directory, with_agreement=_concerns(actor, one.code)),
                lambda one: (one.code,),
            )
        )

    @router.get("/directory/partners/{partner}", response_model=PartnerView)
    async def one_partner(actor: Reader, partner: Code) -> Response:
        directory = await kept.directory(running.store(actor.county), berlin_day(running.clock.now()))
        found = directory.partner(partner)
        if found is None:
            raise Problem("entry-not-found", 404)
        return reply(partner_view(found, directory, with_agreement=_concerns(actor, partner)))


def _add_partners(router: APIRouter, running: Running, catalogue: Catalogue) -> None:
    @router.put("/directory/partners/{partner}", response_model=EntryStanding)
    async def put(actor: Keeper, key: IdempotencyKey, partner: Code, body: PartnerEntry) -> Response:
        """The entry of a partner, which is confirmed by it too. Its agreement stays as it is."""
        in_the_county(actor.county, body)
        data = PutPartner(partner=partner, asker=_asker(actor, partner), entry=body)
        return await running.send(actor, key, data)

    @router.post("/directory/partners", response_model=ItemOutcomes)
    async def put_many(request: Request, actor: Coordinator, key: IdempotencyKey, body: ListedPartners) -> Response:
        """Many partners with their agreements and services, each with an outcome of its own."""
        for position, one in enumerate(body.partners):
            in_the_county(actor.county, one.entry, f"partners.{position}.entry.")
        settled = await settle_listed(running, actor, key, body.partners)
        spoken = language(request)
        items = [
            item_outcome(one.code, each, catalogue, spoken) for one, each in zip(body.partners, settled, strict=True)
        ]
        return reply(ItemOutcomes(items=items), replayed=nothing_new(settled))

    @router.put("/directory/partners/{partner}/agreement", response_model=EntryStanding)
    async def agree(actor: Coordinator, key: IdempotencyKey, partner: Code, body: Agreement) -> Response:
        """What county and partner agreed; to end it, it is put with its last day."""
        return await running.send(actor, key, SetAgreement(partner=partner, agreement=body))

    @router.post("/directory/partners/{partner}/confirmation", response_model=EntryStanding)
    async def confirm(actor: Keeper, key: IdempotencyKey, partner: Code) -> Response:
        """The entry is right as of today."""
        return await running.send(actor, key, ConfirmPartner(partner=partner, asker=_asker(actor, partner)))

    @router.post("/directory/partners/{partner}/retirement", response_model=EntryStanding)
    async def retire(actor: Keeper, key: IdempotencyKey, partner: Code) -> Response:
        """The organisation is no partner any more; nobody is proposed to it."""
        return await running.send(actor, key, RetirePartner(partner=partner, asker=_asker(actor, partner)))


def _add_services(router: APIRouter, running: Running) -> None:
    path = "/directory/partners/{partner}/services/{service}"

    @router.put(path, response_model=EntryStanding)
    async def put(actor: Keeper, key: IdempotencyKey, partner: Code, service: Code, body: ServiceEntry) -> Response:
        """The entry of a service, which is confirmed by it too."""
        data = PutService(partner=partner, service=service, asker=_asker(actor, partner), entry=body)
        return await running.send(actor, key, data)

    @router.post(f"{path}/confirmation", response_model=EntryStanding)
    async def confirm(actor: Keeper, key: IdempotencyKey, partner: Code, service: Code) -> Response:
        """The entry is right as of today."""
        data = ConfirmService(partner=partner, service=service, asker=_asker(actor, partner))
        return await running.send(actor, key, data)

    @router.post(f"{path}/retirement", response_model=EntryStanding)
    async def retire(actor: Keeper, key: IdempotencyKey, partner: Code, service: Code) -> Response:
        """The partner does not offer it any more."""
        data = RetireService(partner=partner, service=service, asker=_asker(actor, partner))
        return await running.send(actor, key, data)


async def settle_listed(running: Running, actor: Actor, key: str, listed: Sequence[ListedPartner]) -> list[Outcome]:
    """One outcome for each partner: that of the first command that was not taken, else of the partner's own."""
    commands = [
        Command(actor.county, key, data, actor.subject, place=position * _APART + place)
        for position, one in enumerate(listed)
        for place, data in enumerate(one.commands())
    ]
    outcomes = dict(zip((one.place for one in commands), await running.send_all(commands), strict=True))
    return [
        _together([outcomes[position * _APART + place] for place, _ in enumerate(one.commands())])
        for position, one in enumerate(listed)
    ]


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    return next((one for one in outcomes if one.error is not None), outcomes[0])


def in_the_county(county: str, entry: PartnerEntry, before: str = "") -> None:
    """Raises `Problem` 422 for a site outside."""
    wrong = [
        FieldProblem(f"{before}sites.{position}.district", "district-of-this-county")
        for position, site in enumerate(entry.sites)
        if not lies_in(county, site.district)
    ]
    if wrong:
        raise Problem("invalid-fields", 422, fields=wrong)


def lies_in(county: str, key: str) -> bool:
    """Whether this is the key of a district of the county."""
    try:
        return district(key).county == county
    except UnknownPlace:
        return False


def _asker(actor: Actor, partner: str) -> str | None:
    """The organisation that asks, which keeps its own entry only; None for coordinators. Raises `Problem` 403."""
    if actor.role != Role.PARTNER:
        return None
    if actor.organisation is None:
        raise Problem("organisation-missing", 403)
    if actor.organisation != partner:
        raise Problem("entry-of-another-partner", 403)
    return partner


def _concerns(actor: Actor, partner: str) -> bool:
    return actor.role == Role.COORDINATOR or (actor.role == Role.PARTNER and actor.organisation == partner)
