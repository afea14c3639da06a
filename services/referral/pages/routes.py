"""The partners' pages: what is new, what runs, what is done; one referral; the offers with their seats; a course with its participants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from schemas.codes import Role
from schemas.events import Uuid
from services.referral import store as kept
from services.referral.api_offers import partner_of
from services.referral.commands import ConfirmSeats, SetSeats
from services.referral.locations import Locations
from services.referral.offers import MOST_SEATS
from services.referral.pages.answering import add_answering
from services.referral.pages.contacts import Contacts
from services.referral.pages.course import CoursePage, add_course
from services.referral.pages.listing import LISTS
from services.referral.pages.network.routes import HERE as NETWORK
from services.referral.pages.network.routes import NAV as NETWORK_NAV
from services.referral.pages.network.routes import PARTNERS, add_network
from services.referral.pages.noticing import PAGE as NOTICES
from services.referral.pages.noticing import Noticing, add_noticing
from services.referral.pages.possible import command, fields_of, missing, steps_at
from services.referral.pages.reading import Reading, Shown
from services.referral.pages.rows import Rows
from services.referral.pages.sample_users import sample_users
from services.referral.pages.words import Words, language_name, place_name
from services.referral.transitions import StepKind
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.pages import (
    PAGE_MESSAGES,
    PREFIX,
    Form,
    NavEntry,
    Pages,
    Visitor,
    common_routes,
    not_found_route,
    page_for,
)
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.tokens import Actor

HERE: Final = Path(__file__).parent
HOME: Final = f"{PREFIX}/partner/new"
START: Final = f"{PREFIX}/start"
_STARTS: Final = {Role.COORDINATOR: PARTNERS, Role.OPERATOR: NOTICES}
"""Where those begin who are no partner."""

Partner = Annotated[Visitor, Depends(page_for(Role.PARTNER))]
Anybody = Annotated[Visitor, Depends(page_for(Role.PARTNER, *_STARTS))]

_TABS: Final = tuple(LISTS)


def page_routes(running: Running, locations: Locations) -> APIRouter:
    """Everything under ``/pages``."""
    catalogue = Catalogue(
        RUNTIME_MESSAGES, PAGE_MESSAGES, running.service.messages, HERE / "messages", NETWORK / "messages"
    )
    pages = Pages(
        running.settings,
        catalogue,
        HERE / "templates",
        NETWORK / "templates",
        nav=_nav,
        name_of=partial(_name_of, running),
        words=partial(Words, catalogue),
        place_name=place_name,
        language_name=language_name,
    )
    reading = Reading(running, locations)
    contacts = Contacts.of(running)
    router = pages.router()
    _add_lists(router, pages, reading)
    _add_referral(router, running, pages, reading, contacts, locations)
    _add_offers(router, running, pages, reading)
    add_course(router, CoursePage(pages, reading, contacts), Rows(running, pages, reading, locations))
    add_noticing(router, Noticing(running, pages))
    add_answering(router, running, pages, reading, locations)
    add_network(router, running, pages)
    _add_start(router)
    common = common_routes(pages, START, lambda: sample_users(running))
    return APIRouter(routes=[*common.routes, *router.routes, *not_found_route(pages).routes])


async def _name_of(running: Running, actor: Actor) -> str | None:
    """A partner is known to people by its name; its code is for programs."""
    partner = actor.organisation if actor.role == Role.PARTNER else None
    return await kept.partner_name(running.store(actor.county), partner) if partner is not None else None


def _nav(actor: Actor) -> Sequence[NavEntry]:
    if actor.role == Role.OPERATOR:
        return (NavEntry(NOTICES, "partner.nav.notices", (NOTICES,)),)
    if actor.role == Role.COORDINATOR:
        return NETWORK_NAV
    if actor.role != Role.PARTNER:
        return ()
    referrals = tuple(f"{PREFIX}/partner/{part}" for part in (*_TABS, "referrals"))
    offers = f"{PREFIX}/partner/offers"
    return (
        NavEntry(HOME, "partner.nav.inbox", referrals),
        NavEntry(offers, "partner.nav.offers", (offers,)),
        NavEntry(NOTICES, "partner.nav.notices", (NOTICES,)),
    )


def _add_start(router: APIRouter) -> None:
    @router.get(START)
    async def start(visitor: Anybody) -> Response:
        """Everybody begins where their work is."""
        return RedirectResponse(_STARTS.get(Role(visitor.signed_in.role), HOME), 303)


# --- lists --------------------------------------------------------------------------------------------------------------


def _add_lists(router: APIRouter, pages: Pages, reading: Reading) -> None:
    async def listed(visitor: Visitor, tab: str, after: str | None) -> Response:
        page = await reading.listed(visitor.signed_in, tab, after)
        return pages.show(visitor, "inbox.html", page=page, begun=after is not None, tab=tab, tabs=_TABS)

    @router.get(HOME)
    async def new(visitor: Partner, after: str | None = None) -> Response:
        return await listed(visitor, "new", after)

    @router.get(f"{PREFIX}/partner/running")
    async def runs(visitor: Partner, after: str | None = None) -> Response:
        return await listed(visitor, "running", after)

    @router.get(f"{PREFIX}/partner/done")
    async def done(visitor: Partner, after: str | None = None) -> Response:
        return await listed(visitor, "done", after)


# --- one referral -------------------------------------------------------------------------------------------------------


def _add_referral(
    router: APIRouter, running: Running, pages: Pages, reading: Reading, contacts: Contacts, locations: Locations
) -> None:
    address = f"{PREFIX}/partner/referrals/{{referral}}"

    def shown(visitor: Visitor, one: Shown, *, status: int = 200, **more: object) -> Response:
        steps = [(step, fields_of(step, one.line.kind)) for step in steps_at(one.line.state)]
        values: dict[str, object] = {"one": one, "steps": steps, "asked": None, "typed": {}, "wrong": {}, "tried": ""}
        return pages.show(visitor, "referral.html", status=status, **{**values, "refused": None, **more})

    @router.get(address)
    async def one_referral(visitor: Partner, referral: Uuid) -> Response:
        return shown(visitor, await reading.one(visitor.signed_in, referral))

    @router.get(address + "/contact")
    async def contact(visitor: Partner, referral: Uuid) -> Response:
        """The same page with the person's contact, which intake records as read."""
        one = await reading.one(visitor.signed_in, referral)
        if one.line.contact is None:
            raise Problem("referral-not-accepted-yet", 409)
        asked = await contacts.ask(visitor.session.token, visitor.language, one.line.contact)
        return shown(visitor, one, asked=asked)

    @router.post(address + "/{step}")
    async def take(visitor: Partner, referral: Uuid, step: StepKind) -> Response:
        form = await visitor.form()
        actor = visitor.signed_in
        one = await reading.one(actor, referral)
        asked = fields_of(step, one.line.kind)
        typed = {field.name: form.one(field.name) for field in asked}
        wrong = _sentences(pages, visitor, missing(asked, typed))
        if wrong:
            return shown(visitor, one, status=422, typed=typed, wrong=wrong, tried=step)
        try:
            located = (await locations.find(running.store(actor.county), [referral])).get(referral)
            data = command(actor, referral, step, asked, typed, located)
            await running.desk.send(Command(actor.county, form.key, data, actor.subject))
        except Refused as refused:
            now = await reading.one(actor, referral)
            told = pages.said(refused, visitor.language)
            return shown(visitor, now, status=refused.status, typed=typed, tried=step, refused=told)
        answered = one.line.answer_by is not None  # then on to the next one
        path = HOME if answered else f"{PREFIX}/partner/referrals/{referral}"
        return pages.go(visitor, path, visitor.session.saying(f"partner.done.{step}"))


def _sentences(pages: Pages, visitor: Visitor, wrong: Mapping[str, str]) -> dict[str, str]:
    return {name: pages.catalogue.text(visitor.language, key) for name, key in wrong.items()}


# --- offers -------------------------------------------------------------------------------------------------------------


def _add_offers(router: APIRouter, running: Running, pages: Pages, reading: Reading) -> None:
    async def shown(visitor: Visitor, *, status: int = 200, **more: object) -> Response:
        offers = await reading.offers(visitor.signed_in)
        values: dict[str, object] = {
            "offers": offers,
            "tried": "",
            "typed": "",
            "wrong": "",
            "most": MOST_SEATS,
            "lose": 0,
        }
        return pages.show(visitor, "offers.html", status=status, **{**values, **more})

    async def send(visitor: Visitor, form: Form, data: SetSeats | ConfirmSeats, said: str) -> Response:
        actor = visitor.signed_in
        try:
            await running.desk.send(Command(actor.county, form.key, data, actor.subject))
        except Refused as refused:
            more: dict[str, object] = {"tried": data.offer, "typed": form.one("seats")}
            if refused.code == "capacity-below-held":
                # Asked once more, with what it means; what is confirmed is the number that was typed.
                wrong = pages.catalogue.text(visitor.language, "partner.seats-lose", refused.params)
                more |= {"wrong": wrong, "lose": refused.params["affected"]}
            else:
                _, more["wrong"] = pages.said(refused, visitor.language)
            return await shown(visitor, status=refused.status, **more)
        return pages.go(visitor, f"{PREFIX}/partner/offers", visitor.session.saying(said))

    @router.get(f"{PREFIX}/partner/offers")
    async def offers(visitor: Partner) -> Response:
        return await shown(visitor)

    @router.post(f"{PREFIX}/partner/offers/{{offer}}/seats")
    async def set_seats(visitor: Partner, offer: Uuid) -> Response:
        return await set_to(visitor, offer, confirmed=False)

    @router.post(f"{PREFIX}/partner/offers/{{offer}}/fewer-seats")
    async def take_away(visitor: Partner, offer: Uuid) -> Response:
        return await set_to(visitor, offer, confirmed=True)

    async def set_to(visitor: Visitor, offer: str, *, confirmed: bool) -> Response:
        form = await visitor.form()
        typed = form.one("seats")
        if not (typed.isascii() and typed.isdigit() and len(typed) <= 9 and int(typed) <= MOST_SEATS):
            wrong = pages.catalogue.text(visitor.language, "partner.seats-wrong", {"most": MOST_SEATS})
            return await shown(visitor, status=422, tried=offer, typed=typed, wrong=wrong)
        partner = partner_of(visitor.signed_in)
        known = form.one("affected")
        affected = int(known) if confirmed and known.isascii() and known.isdigit() and len(known) <= 9 else None
        # Who confirms confirms a number of people: if by now others would lose their seats, it is asked again.
        data = SetSeats(
            offer=offer,
            seats=int(typed),
            partner=partner,
            confirm_affected=affected is not None,
            affected=affected,
        )
        return await send(visitor, form, data, "partner.seats-set")

    @router.post(f"{PREFIX}/partner/offers/{{offer}}/confirmation")
    async def confirm(visitor: Partner, offer: Uuid) -> Response:
        form = await visitor.form()
        data = ConfirmSeats(offer=offer, partner=partner_of(visitor.signed_in))
        return await send(visitor, form, data, "partner.seats-confirmed")
