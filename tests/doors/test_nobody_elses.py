"""Another partner's sign-in, and any sign-in of another county, reads and changes nothing at any route of any service.

The routes are those of the applications themselves: one that is added is tried too, and fails here until it is said what stands in its
path and body. What is tried are the ids of a partner's own things, in every place of every route.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts

from schemas.codes import ContactField, Purpose, Role, ServiceKind
from schemas.events import ReferralAccepted
from services.referral.api_referrals import COMMANDS
from services.referral.locations import Locations
from services.referral.notices.sending import Post
from services.referral.transitions import StepKind
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.security import ALWAYS_PUBLIC
from tests.doors.applications import COUNTY, ELSEWHERE, Doors
from tests.intake.door import Door
from tests.intake.door import body as arrival_body
from tests.pages.visitor import hold_session
from tests.profiling.centre import Centre
from tests.profiling.talks import APPOINTMENT, CASE, arrival, booking, whole_talk
from tests.referral.directory import A_COURSE, AGREED, VHS
from tests.referral.house import House, key
from tests.referral.network import MELLE, id_of
from tests.referral.test_doors import COURSE_IN_MELLE, proposed
from tests.reporting.indicators.test_api import FILE as INDICATOR_FILE
from tests.reporting.office import Sender

pytestmark = pytest.mark.asyncio(loop_scope="package")

OPEN_TO_THE_COUNTY: Final = ("/v1/directory/partners", "/hsds", "/v1/guideline", "/v1/tables")
"""The directory is for all who refer people; questions and tables are the same everywhere. What is not for all is
looked for in them too."""

THE_SAME_EVERYWHERE: Final = ("/hsds/taxonomies/", "/hsds/taxonomy_terms/", "/v1/waiting/", "/v1/audit/", "/v1/tables/")
"""Their places hold codes and days that every county has. What is answered is each county's own."""

FORM_NOT_OURS: Final = Catalogue(RUNTIME_MESSAGES).text("en", "problem.form-not-ours.title", {})

NAMED_IN_A_COUNTY: Final = (
    "/v1/directory/partners",
    "/pages/network/partners",
    "/v1/indicators/{indicator}",
    "/v1/steering/plans/",
    "/pages/indicators/{indicator}",
)
"""A partner's code is a name within its county: in another county it is another partner. Indicators and published plans are the same
everywhere, and what a county has of them is its own."""

THEIRS_IN_THE_BODY: Final = (
    "/v1/contacts",
    "/v1/notices/again",
    "/v1/offers",
    "/v1/referrals/steps",
    "/v1/profiles",
    "/v1/directory/partners",
)

TELLS_NOTHING: Final = frozenset({"id-not-usable", "case-not-arrived", "steering-changed-meanwhile"})
"""Of an id that the sender chose: it cannot be taken, by whose doing is not said; and what profiling and the plan say
of any id that they never heard of."""

NOT_OF_A_COUNTY: Final = (
    "/runtime/clock",
    "/runtime/refill",
    "/v1/rebuild",
    "/pages/sign-in",
    "/pages/local-sign-in",
    "/pages/language",
)
"""What operations does with a whole process, and the sample users of a single machine."""


PLANNED: Final = "Sprechstunde in jedem Rathaus"

SLOT_ROW: Final = {
    "kind": "migration-counselling",
    "row": {
        "times": [{"weekday": "monday", "begins": "09:00", "ends": "10:00"}],
        "minutes": 30,
        "way": "video",
        "first": "2016-06-20",
        "last": "2016-06-27",
    },
}

THEIR_ROW: Final = {**SLOT_ROW, "partner": "vhs", "district": MELLE}

THEIR_AGREEMENT: Final = {**AGREED, "signed_on": "2015-12-17"}

_REASON: Final = {
    "rejection": "offer-unsuitable",
    "decline": "provider-full",
    "failure": "person-stopped",
    "cancellation": "person-wish",
}
"""What belongs to the steps that need a reason."""


@dataclass
class Theirs:
    """What belongs to the vhs and the people who were referred to it. `told` is what nobody else may read anywhere."""

    places: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    cases: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By service: each has cases of its own here, and one that it has not heard of yet is another matter."""
    told: set[str] = field(default_factory=set[str])
    open: set[str] = field(default_factory=set[str])
    """Of `told` what stands in the directory, for the county."""
    link: str = ""
    notice: str = ""

    def at(self, service: str) -> Theirs:
        """What is theirs at this service."""
        cases = self.cases.get(service, self.cases["referral"])
        return replace(self, places={**self.places, "case": cases, "other": cases})


@dataclass(frozen=True)
class Route:
    method: str
    path: str

    @property
    def is_page(self) -> bool:
        return self.path.startswith("/pages") or self.path == "/"


def routes_of(doors: Doors) -> list[Route]:
    return [
        Route(method, one.path)
        for one in iter_route_contexts(doors.app.routes)
        if one.path is not None and one.path not in ALWAYS_PUBLIC
        for method in sorted(one.methods or ())
        if method != "HEAD"
    ]


def addresses(route: Route, theirs: Theirs) -> Iterator[str]:
    """Every address of a route with something of theirs in each place."""
    names = re.findall(r"{(\w+)(?::path)?}", route.path)
    for name in names:
        assert name in theirs.places, f"say what can stand for {{{name}}} in {route.path}"
    for values in product(*(theirs.places[name] for name in names)):
        path = route.path
        for name, value in zip(names, values, strict=True):
            path = re.sub(rf"{{{name}(:path)?}}", lambda _, value=value: value, path)
        yield path


def body_of(route: Route, path: str, theirs: Theirs, organisation: str, district: str) -> Any:
    """A body that is right in form, with something of theirs wherever an id stands."""
    (offer,), (case, *_), (need, *_) = theirs.places["offer"][:1], theirs.places["case"], theirs.places["need"]
    item = {"referral": theirs.places["referral"][0], "step": "acceptance"}
    term = {**COURSE_IN_MELLE, "partner": organisation, "district": district}
    decision = {"need": need, "decision": "confirm"}
    entry = {"code": "vhs", "entry": VHS}
    bodies: Mapping[tuple[str, str], Any] = {
        ("PUT", "/runtime/clock"): {"now": "2016-06-01T09:30:00Z"},
        ("POST", "/runtime/dead-letters/{id}/replay"): {},
        ("POST", "/runtime/dead-letters/{id}/discard"): {"reason": "not ours"},
        ("POST", "/v1/arrivals"): arrival_body(municipality_key="031570001001"),
        ("POST", "/v1/contacts"): {"cases": theirs.places["case"]},
        ("POST", "/v1/cases/{case}/appointment"): {},
        ("POST", "/v1/cases/{case}/corrections"): {"sex": "female"},
        ("POST", "/v1/cases/{case}/residence-group"): {"residence_group": "eu"},
        ("POST", "/v1/cases/{case}/moves"): {"moved_on": "2016-05-30", "municipality_key": None},
        ("POST", "/v1/cases/{case}/consents"): {"purposes": ["language-courses"]},
        ("POST", "/v1/cases/{case}/consents/withdrawals"): {"purposes": ["language-courses"]},
        ("PUT", "/v1/cases/{case}/profile"): {"answers": whole_talk()},
        ("POST", "/v1/cases/{case}/needs"): {"decisions": [decision]},
        ("POST", "/v1/profiles"): {"sheets": [{"case": case, "answers": whole_talk()}]},
        ("PUT", "/v1/offers/{offer}"): term,
        ("POST", "/v1/offers"): {"offers": [{**term, "id": offer}]},
        ("PUT", "/v1/offers/{offer}/seats"): {"seats": 1, "confirm_affected": True},
        ("PUT", "/v1/offers/{offer}/efforts/{month}"): {"hours": 1, "visits": 1},
        ("POST", "/v1/referrals/{referral}/{step}"): {
            "reason": _REASON.get(path.rpartition("/")[2]),
            "outcome": "level-a1",
            "on": "2016-06-15",
            "daypart": "weekday-morning",
        },
        ("POST", "/v1/referrals/steps"): {"steps": [item]},
        ("POST", "/v1/needs/{need}/proposal"): {"offer": offer},
        ("POST", "/v1/needs/{need}/scope"): {"scope": "ask-again"},
        ("PUT", "/v1/slot-rows/{row}"): {**SLOT_ROW, "partner": organisation, "district": district},
        ("POST", "/v1/offers/{offer}/decision"): {"takes_place": False},
        ("POST", "/v1/indicators/deliveries/{delivery}/confirmation"): {"lines": [5]},
        ("PUT", "/v1/steering/fields/{id}"): {"seen": 1, "terms": {"name": "Sprache"}},
        ("PUT", "/v1/steering/goals/{id}"): {"seen": 1, "terms": {"field": theirs.places["field"][0], "text": "Mehr"}},
        ("PUT", "/v1/steering/measures/{id}"): {"seen": 1, "terms": {"goal": theirs.places["goal"][0], "text": "Mehr"}},
        ("PUT", "/v1/steering/terms"): {"seen": 0, "terms": {}},
        ("POST", "/v1/notices/channels"): {"kind": "mail", "target": "other-api@example.org"},
        ("POST", "/v1/notices/again"): {"notice": theirs.notice},
        ("PUT", "/v1/directory/partners/{partner}"): {**VHS, "sites": [], "contacts": []},
        ("POST", "/v1/directory/partners"): {"partners": [{**entry, "entry": {**VHS, "sites": [], "contacts": []}}]},
        ("PUT", "/v1/directory/partners/{partner}/agreement"): AGREED,
        ("PUT", "/v1/directory/partners/{partner}/services/{service}"): {**A_COURSE, "sites": []},
    }
    return bodies.get((route.method, route.path))


async def ask(
    client: httpx.AsyncClient,
    route: Route,
    path: str,
    theirs: Theirs,
    organisation: str,
    *,
    secret: str = "",
    district: str = MELLE,
) -> httpx.Response:
    """The request as this client would send it: a form of its own session, or JSON."""
    params = {
        "day": "2016-06-01",
        "period": "2016",
        "subject": f"case/{theirs.places['case'][0]}",
        "organization_id": theirs.places["id"][0],
    }
    if route.method == "GET":
        return await client.get(path, params=params)
    if route.is_page:
        fields = {
            "form": secret,
            "seats": "1",
            "notice": theirs.notice,
            "kind": "mail",
            "target": "other@example.org",
            "reason": "provider-full",
            "text": "Mehr",
            "name": "Mehr",
            f"row-{theirs.places['referral'][0]}": "start",
        }
        return await client.post(path, data=fields)
    return await client.request(
        route.method, path, json=body_of(route, path, theirs, organisation, district), headers=key()
    )


def secret_in(page: httpx.Response) -> str:
    """What the forms of this page carry; nothing where there are no pages."""
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    return found[1] if found else ""


def said(request: httpx.Request, text: str) -> bool:
    """Whether the asker knew it already."""
    return text in str(request.url) or text in request.content.decode() or text in repr(request.headers.raw)


def refused(answer: httpx.Response) -> bool:
    if answer.status_code in (403, 404):
        return True
    if answer.status_code == 409 and (_json(answer) or {}).get("code") in TELLS_NOTHING:
        return True
    if answer.status_code != 200 or not isinstance(content := _json(answer), dict) or "items" not in content:
        return False
    items = content["items"]  # a list of actions, each refused for itself
    return answer.request.method == "GET" or all(
        one["outcome"] == "refused" and one["problem"]["status"] in (403, 404, 409) for one in items
    )


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except json.JSONDecodeError:
        return None


async def trespasses(
    doors: Doors, client: httpx.AsyncClient, theirs: Theirs, organisation: str, *, same_county: bool
) -> list[str]:
    """What went through and should not have, or told what it should not have."""
    found: list[str] = []
    form = secret_in(await client.get("/pages/signed-out"))
    district = MELLE if same_county else "031570001"
    for route in routes_of(doors):
        if route.path.startswith(NOT_OF_A_COUNTY) or route.path.endswith("/sign-out"):
            continue
        is_open = same_county and route.path.startswith(OPEN_TO_THE_COUNTY) and route.method == "GET"
        secret = theirs.told - theirs.open if is_open else theirs.told
        about_theirs = "{" in route.path or route.path in THEIRS_IN_THE_BODY
        about_theirs &= not route.path.startswith(THE_SAME_EVERYWHERE)
        about_theirs &= same_county or not route.path.startswith(NAMED_IN_A_COUNTY)
        for path in addresses(route, theirs):
            answer = await ask(client, route, path, theirs, organisation, secret=form, district=district)
            told = [one for one in secret if one in answer.text and not said(answer.request, one)]
            if told:
                found.append(f"{route.method} {path} tells {told}: {answer.status_code}")
            if about_theirs and not is_open and not refused(answer):
                found.append(f"{route.method} {path} as {organisation}: {answer.status_code} {answer.text[:120]}")
            assert FORM_NOT_OURS not in answer.text, f"{route}: tried with a form that is not read"
            if answer.status_code >= 500:
                found.append(f"{route.method} {path}: {answer.status_code}")
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What was stored before and is not as it was."""
    own = ("commands/", "leases/", "meta/", "books/")
    return [name for name, text in before.items() if after.get(name) != text and not name.startswith(own)]


# --- what they have -----------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def theirs(all_doors: dict[str, Doors]) -> AsyncIterator[Theirs]:
    """The vhs with everything that a partner can have, in every service."""
    found = Theirs()
    await _in_referral(all_doors["referral"], found)
    await _in_intake(all_doors["intake"], found)
    await _in_profiling(all_doors["profiling"], found)
    await _in_reporting(all_doors["reporting"], found)
    found.places |= {
        "service": ["course"],
        "partner": ["vhs"],
        "step": [str(one) for one in COMMANDS],
        "month": ["2016-06"],
        "kind": [str(ServiceKind.INTEGRATION_COURSE_GENERAL)],
        "day": ["2016-06-01"],
        "version": ["1"],
        "table": ["nothing"],
        "release": ["2016-Q1-final"],  # a name that every county has releases of its own by
        "file": ["nothing.csv"],
        "name": ["nothing.css"],
        "rest": ["partner/elsewhere"],
        "county": [COUNTY, ELSEWHERE],
        "row": [id_of("row", "offer")],
        "indicator": ["26.1"],
        "plan": ["none"],
        "steps": ["quarter"],
        "exhibit": ["arrivals-by-district"],
        "year": ["2016"],
        "section": ["foreword"],
    }
    yield found


async def _in_referral(doors: Doors, found: Theirs) -> None:
    house = House(doors.running, doors.app, Locations(), doors.issuer)
    async with house.client(Role.COORDINATOR) as coordinator:
        services = [{"code": "course", "entry": A_COURSE}]
        listed = [{"code": "vhs", "entry": VHS, "agreement": THEIR_AGREEMENT, "services": services}]
        await coordinator.post("/v1/directory/partners", json={"partners": listed}, headers=key())
        organisations = (await coordinator.get("/hsds/services")).json()["contents"]
    referrals = await proposed(house, "amal", "badr")
    items = [{"referral": one, "step": step} for one in referrals.values() for step in ("release", "agreement")]
    async with house.client(Role.COUNSELLOR) as counsellor:
        await counsellor.post("/v1/referrals/steps", json={"steps": items}, headers=key())
    async with house.client(Role.PARTNER, "vhs") as partner:
        await partner.post(f"/v1/referrals/{referrals['amal']}/acceptance", json={}, headers=key())
        row = id_of("row", "offer")
        slots = await partner.put(f"/v1/slot-rows/{row}", json=THEIR_ROW, headers=key())
        assert {one["outcome"] for one in slots.json()["items"]} == {"applied"}, slots.text
        hold_session(partner, doors.running.settings)
        page = await partner.get("/pages/partner/notices")
        for kind, target in (("mail", "vhs-desk@example.org"), ("webhook", "https://93.184.216.34/vhs-hook")):
            form = {"form": secret_in(page), "kind": kind, "target": target}
            assert (await partner.post("/pages/partner/notices/channels", data=form)).status_code in (200, 303)
        await Post(doors.running, Locations()).turn(doors.running.store(COUNTY))
        await Post(doors.running, Locations()).turn(doors.running.store(COUNTY))
        page = await partner.get("/pages/partner/notices")
        link = re.search(r"/pages/answer/[0-9]{5}/([A-Za-z0-9_-]{43})", page.text)
        assert link is not None, page.text
        found.link = link[1]
    raw = doors.running.database.raw
    channels = [str(one["_id"]) for one in await raw["channels"].find({}).to_list(None)]
    notices = [str(one["_id"]) for one in await raw["notices"].find({}).to_list(None)]
    links = [str(one["_id"]) for one in await raw["links"].find({}).to_list(None)]
    assert len(channels) >= 2
    cases = [await house.case(name) for name in ("amal", "badr")]
    offer = id_of("course", "offer")
    found.places |= {
        "offer": [offer],
        "referral": list(referrals.values()),
        "need": [need.id for case in cases for need in case.needs],
        "id": [organisations[0]["organization_id"], *channels],
        "channel": channels,
        "token": ["x" * 43, links[0]],
    }
    found.notice = notices[0]
    found.cases["referral"] = [case.id for case in cases]
    found.open |= {offer}
    found.told |= {
        offer,
        found.link,
        *found.places["referral"],
        *found.places["need"],
        *found.cases["referral"],
        *channels,
    }
    found.told |= {"vhs-desk@example.org", "93.184.216.34", THEIR_AGREEMENT["signed_on"]}


async def _in_intake(doors: Doors, found: Theirs) -> None:
    async with doors.client(Role.CLERK, office="034590024") as clerk:
        door = Door(doors.running, clerk, doors.issuer)
        case = await door.registers()
    accepted = ReferralAccepted(
        referral=found.places["referral"][0],
        need=found.places["need"][0],
        kind=ServiceKind.INTEGRATION_COURSE_GENERAL,
        partner="vhs",
        fields=tuple(ContactField),
        until="2016-12-31",  # pyright: ignore[reportArgumentType] - read as the event's own JSON is
    )
    await door.hears(accepted, case)
    async with doors.client(Role.COUNSELLOR) as counsellor:
        purposes = {"purposes": [Purpose.LANGUAGE_COURSES]}
        await counsellor.post(f"/v1/cases/{case}/consents", json=purposes, headers=key())
    async with doors.client(Role.PARTNER, organisation="vhs") as partner:
        assert (await partner.get(f"/v1/cases/{case}/contact")).json()["family_name"] == "Łączak"
    found.cases["intake"] = [case]
    found.told |= {case, "Łączak", "Żaneta"}


async def _in_profiling(doors: Doors, found: Theirs) -> None:
    centre = Centre(doors.running, doors.app, doors.issuer)
    await centre.hears(arrival(), CASE)
    await centre.hears(booking(), CASE)
    async with doors.client(Role.COUNSELLOR) as counsellor:
        body = {"answers": whole_talk(goals=["find-a-home"]), "confirm_derived": True}
        answer = await counsellor.put(f"/v1/cases/{CASE}/profile", json=body, headers=key())
        assert answer.status_code == 200, answer.text
    found.cases["profiling"] = [CASE]
    found.told |= {CASE, APPOINTMENT}


async def _in_reporting(doors: Doors, found: Theirs) -> None:
    sender = Sender(COUNTY)
    settler = doors.running.settler
    records = [settler.reader.read(sender.record(found.cases["referral"][0], arrival(district=MELLE)))]
    await settler.settle(doors.running.store(COUNTY), records)
    async with doors.client(Role.REPORTER) as reporter:
        delivered = (await reporter.post("/v1/indicators/deliveries", content=INDICATOR_FILE)).json()
    planned = id_of("plan", "offer")
    async with doors.client(Role.COORDINATOR) as coordinator:
        for path, terms in (
            ("fields", {"name": PLANNED}),
            ("goals", {"field": planned, "text": PLANNED}),
            ("measures", {"goal": planned, "text": PLANNED}),
        ):
            answer = await coordinator.put(
                f"/v1/steering/{path}/{planned}", json={"seen": 0, "terms": terms}, headers=key()
            )
            assert answer.status_code == 200, answer.text
    found.places |= {"delivery": [delivered["delivery"]], "field": [planned], "goal": [planned], "measure": [planned]}
    found.places["id"] = [*found.places["id"], planned]
    found.told |= {delivered["delivery"], PLANNED}


# --- nobody else's ------------------------------------------------------------------------------------------------------

NAMES: Final = ("intake", "profiling", "referral", "reporting")


@pytest.mark.parametrize("name", NAMES)
async def test_another_partner_reads_and_changes_nothing_of_it_at_any_route(
    name: str, all_doors: dict[str, Doors], theirs: Theirs
):
    doors, theirs = all_doors[name], theirs.at(name)
    before = await doors.stored()
    async with doors.client(Role.PARTNER, organisation="other") as other:
        hold_session(other, doors.running.settings)
        found = await trespasses(doors, other, theirs, "other", same_county=True)
    assert found == [], "\n".join(found)
    assert changed(before, await doors.stored()) == []


@pytest.mark.parametrize("name", NAMES)
async def test_no_sign_in_of_another_county_reads_or_changes_anything_at_any_route(
    name: str, all_doors: dict[str, Doors], theirs: Theirs
):
    doors, theirs = all_doors[name], theirs.at(name)
    before = await doors.stored()
    found: list[str] = []
    theirs = replace(theirs, places={name: values[-1:] for name, values in theirs.places.items()})
    for role in Role:
        async with doors.client(role, ELSEWHERE, organisation="vhs", office="031570001", site="melle") as stranger:
            hold_session(stranger, doors.running.settings)
            found += [f"{role}: {one}" for one in await trespasses(doors, stranger, theirs, "vhs", same_county=False)]
    assert found == [], "\n".join(found)
    assert changed(before, await doors.stored()) == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_link_is_good_for_its_one_answer_and_opens_no_other_door(
    name: str, all_doors: dict[str, Doors], theirs: Theirs
):
    doors, theirs = all_doors[name], theirs.at(name)
    before = await doors.stored()
    async with doors.visitor(authorization=f"Bearer {theirs.link}", cookie=f"wegenetz={theirs.link}") as holder:
        for route in routes_of(doors):
            if route.path.startswith(NOT_OF_A_COUNTY):
                continue
            for path in addresses(route, theirs):
                answer = await ask(holder, route, path, theirs, "vhs")
                told = [one for one in theirs.told if one in answer.text and not said(answer.request, one)]
                assert (told, answer.status_code < 500) == ([], True), (route, path, answer.status_code)
                if not route.is_page:
                    assert answer.status_code in (401, 404), (route, answer.text)
    assert changed(before, await doors.stored()) == []


async def test_a_link_is_nothing_in_another_county_and_for_a_step_that_is_no_answer(
    all_doors: dict[str, Doors], theirs: Theirs
):
    doors, theirs = all_doors["referral"], theirs.at("referral")
    before = await doors.stored()
    async with doors.visitor() as holder:
        elsewhere = await holder.get(f"/pages/answer/{ELSEWHERE}/{theirs.link}")
        assert elsewhere.status_code == 404
        opened = await holder.get(f"/pages/answer/{COUNTY}/{theirs.link}")
        assert opened.status_code == 200
        for step in set(StepKind) - {StepKind.RECEIPT, StepKind.ACCEPTANCE, StepKind.DECLINE}:
            form = {
                "form": secret_in(opened),
                "reason": "person-wish",
                "on": "2016-06-15",
                "daypart": "weekday-morning",
            }
            answer = await holder.post(f"/pages/answer/{COUNTY}/{theirs.link}/{step}", data=form)
            assert answer.status_code in (403, 404), (step, answer.status_code)
    assert changed(before, await doors.stored()) == []
