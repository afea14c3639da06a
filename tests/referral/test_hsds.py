"""The published directory: what HSDS 3.0 requires of each document, and seats that never exceed their number.

The fields and types are our own statement of the specification's (https://docs.openreferral.org/en/3.0/hsds/schema_reference.html).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import Role, ServiceKind
from services.referral.directory.documents import Publisher
from services.referral.directory.listing import Directory
from services.referral.directory.states import Partner, Service, partner_id, service_id, term_id
from services.referral.directory.taxonomies import CAPACITY, KINDS, Capacity, Detail, Taxonomies, kind_of, value_of
from services.referral.offers import Holder, Offer
from services.referral.service import SERVICE
from services.referral.whom import Whom
from services.runtime.catalogue import LANGUAGES, RUNTIME_MESSAGES, Catalogue, Language
from tests.referral.directory import VHS, agreement, course, entry
from tests.referral.house import House, key
from tests.referral.network import ADVICE, BRAMSCHE, COUNTY, COURSE, MELLE, TODAY, id_of, terms
from tests.referral.test_directory_doors import fill

CATALOGUE: Final = Catalogue(RUNTIME_MESSAGES, SERVICE.messages)

TEXT, NUMBER = str, (int, float)
DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
TIME: Final = re.compile(r"\d{2}:\d{2}[+-]\d{2}:\d{2}")
URI: Final = re.compile(r"https://.+")
FIELDS: Final[dict[str, dict[str, Any]]] = {
    "service": {
        "id": "uuid", "organization_id": "uuid", "name": TEXT, "alternate_name": TEXT, "description": TEXT,
        "status": {"active", "inactive", "defunct", "temporarily closed"}, "application_process": TEXT,
        "eligibility_description": TEXT, "minimum_age": NUMBER, "maximum_age": NUMBER,
        "fees_description": TEXT, "assured_date": "date", "last_modified": TEXT, "organization": "organization",
        "languages": ["language"], "service_at_locations": ["service_at_location"], "schedules": ["schedule"],
        "attributes": ["attribute"],
    },
    "organization": {
        "id": "uuid", "name": TEXT, "description": TEXT, "email": TEXT, "website": "uri", "legal_status": TEXT,
        "contacts": ["contact"], "phones": ["phone"], "locations": ["location"], "attributes": ["attribute"],
    },
    "service_at_location": {
        "id": "uuid", "service_id": "uuid", "location_id": "uuid", "location": "location", "schedules": ["schedule"],
        "attributes": ["attribute"],
    },
    "location": {
        "id": "uuid", "location_type": {"physical", "postal", "virtual"}, "organization_id": "uuid", "name": TEXT,
        "latitude": NUMBER, "longitude": NUMBER, "external_identifier": TEXT, "external_identifier_type": TEXT,
        "addresses": ["address"], "accessibility": ["accessibility"], "attributes": ["attribute"],
    },
    "address": {
        "id": "uuid", "location_id": "uuid", "address_1": TEXT, "city": TEXT, "state_province": TEXT,
        "postal_code": TEXT, "country": TEXT, "address_type": {"physical", "postal", "virtual"},
    },
    "accessibility": {"id": "uuid", "location_id": "uuid", "description": TEXT},
    "schedule": {
        "id": "uuid", "service_id": "uuid", "service_at_location_id": "uuid", "valid_from": "date",
        "valid_to": "date", "description": TEXT, "opens_at": "time", "closes_at": "time", "attending_type": TEXT,
        "attributes": ["attribute"],
    },
    "language": {"id": "uuid", "service_id": "uuid", "name": TEXT, "code": TEXT},
    "contact": {
        "id": "uuid", "organization_id": "uuid", "name": TEXT, "title": TEXT, "email": TEXT, "phones": ["phone"],
    },
    "phone": {"id": "uuid", "organization_id": "uuid", "contact_id": "uuid", "number": TEXT},
    "attribute": {
        "id": "uuid", "link_id": "uuid", "link_entity": TEXT, "taxonomy_term_id": "uuid", "value": TEXT,
        "taxonomy_term": "taxonomy_term",
    },
    "taxonomy_term": {
        "id": "uuid", "code": TEXT, "name": TEXT, "description": TEXT, "taxonomy_id": "uuid", "language": TEXT,
    },
    "taxonomy": {"id": "uuid", "name": TEXT, "description": TEXT, "uri": "uri", "version": TEXT},
}  # fmt: skip
REQUIRED: Final = {
    "service": {"id", "name", "status"},
    "organization": {"id", "name", "description"},
    "location": {"id", "location_type"},
    "address": {"id", "address_1", "city", "state_province", "postal_code", "country", "address_type"},
    "phone": {"id", "number"},
    "taxonomy_term": {"id", "name", "description"},
    "taxonomy": {"id", "name", "description"},
}
PAGE: Final = {"total_items", "total_pages", "page_number", "size", "first_page", "last_page", "empty", "contents"}


def wrong(table: str, document: Any, where: str = "") -> Iterator[str]:
    """The places at which a document is not as it should be."""
    if not isinstance(document, dict):
        yield f"{where}: not a {table}"
        return
    yield from (f"{where}: {name} is missing" for name in REQUIRED.get(table, {"id"}) - document.keys())
    for name, value in document.items():
        yield from _wrong_value(FIELDS[table].get(name), value, f"{where}.{name}")


def _wrong_value(kind: Any, value: Any, where: str) -> Iterator[str]:
    match kind:
        case None:
            yield f"{where}: no field of HSDS"
        case [table]:
            for place, one in enumerate(value if isinstance(value, list) else [value]):
                yield from wrong(table, one, f"{where}.{place}")
        case "uuid":
            if str(uuid.UUID(value)) != value:
                yield f"{where}: no UUID"
        case "date" | "time" | "uri":
            form = {"date": DATE, "time": TIME, "uri": URI}[kind]
            if not form.fullmatch(value):
                yield f"{where}: no {kind}"
        case str():
            yield from wrong(kind, value, where)
        case set():
            if value not in kind:
                yield f"{where}: not one of the words"
        case _:
            if not isinstance(value, kind) or value == "":
                yield f"{where}: of another type"


# --- documents ------------------------------------------------------------------------------------------------------------


def partner(**other: Any) -> Partner:
    told = {"code": "vhs", "entry": entry(), "agreement": agreement(), "confirmed_on": TODAY}
    return Partner(id=partner_id(COUNTY, "vhs")).but(**{**told, **other})


def service(code: str = "course", **other: Any) -> Service:
    told = {"partner": "vhs", "code": code, "entry": course(), "confirmed_on": TODAY}
    return Service(id=service_id(COUNTY, "vhs", code)).but(**{**told, **other})


def publisher(*offers: Offer, services: tuple[Service, ...] | None = None, language: Language = "de") -> Publisher:
    directory = Directory([partner()], services if services is not None else [service()], offers)
    return Publisher(directory, Taxonomies(CATALOGUE, language), Whom(CATALOGUE, language), language, COUNTY)


def an_offer(name: str = "offer", seats: int = 3, taken: int = 0, **other: Any) -> Offer:
    holders = tuple(Holder(referral=id_of(name, place), case=id_of(place, "case")) for place in range(taken))
    return Offer(id=id_of(name, "offer"), terms=terms(**other), seats=seats, holders=holders, confirmed_on=TODAY)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_document_has_the_fields_and_types_of_the_specification(language: Language):
    published = publisher(an_offer(), an_offer("elsewhere", district=BRAMSCHE), language=language)
    export = published.export().model_dump(mode="json", exclude_none=True)
    assert [*export] == ["services", "organizations", "taxonomies", "taxonomy_terms"]
    tables = ("service", "organization", "taxonomy", "taxonomy_term")
    for table, documents in zip(tables, export.values(), strict=True):
        assert documents
        assert [fault for one in documents for fault in wrong(table, one, table)] == []


def test_a_text_is_told_in_the_readers_language_and_the_other_one_stays_within_reach():
    german, english = publisher().service(service()), publisher(language="en").service(service())
    assert (german.name, german.alternate_name) == ("Integrationskurs", "Integration course")
    assert (english.name, english.description) == ("Integration course", "600 Stunden Deutsch")
    assert value_of(german.attributes or (), Detail.NAME_EN) == "Integration course"


def test_for_whom_a_service_is_stands_in_a_sentence_for_each_of_its_offers_and_its_ages_once():
    young = an_offer("young", ages=(16, 26), cefr_from=None, cefr_to=None, dayparts=[], accessibility=["step-free"])
    old = an_offer("old", ages=(27, 99), cefr_from=None, cefr_to=None, dayparts=[])
    document = publisher(young, old, language="en").service(service())
    told = document.eligibility_description or ""
    assert told.count("The offer is for people who are 16 to 26 years old.") == 1
    assert told.count("The offer is for people who are 27 to 99 years old.") == 1
    assert told.count("There is at the place: step-free access.") == 1
    assert (document.minimum_age, document.maximum_age) == (16, 99)
    anybody = publisher(young, an_offer("any")).service(service())
    assert (anybody.minimum_age, anybody.maximum_age) == (None, None)
    assert document.service_at_locations is not None
    (place,) = document.service_at_locations
    sentences = {value_of(one.attributes, Detail.ELIGIBILITY) for one in place.schedules or ()}
    assert "The offer is for people who are 16 to 26 years old." in sentences


def an_appointment(way: str, **other: Any) -> Offer:
    """Three quarters of an hour on a Tuesday in summer."""
    said = {"sort": "counselling-slot", "begins": "09:00", "minutes": 45, "way": way}
    days = {"starts_on": "2016-06-14", "ends_on": None}
    return an_offer(way, seats=1, kind=ADVICE, cefr_from=None, cefr_to=None, particulars=said, **days, **other)


def test_an_appointment_is_published_with_its_hours_and_its_way():
    counselling = service("advice").but(entry=course(kind=ADVICE))
    both = [an_appointment("on-site"), an_appointment("video")]
    published = publisher(*both, services=(counselling,))
    places = published.service(counselling).service_at_locations
    assert places is not None
    (place,) = places
    told = {one.id: (one.valid_from, one.opens_at, one.closes_at, one.attending_type) for one in place.schedules or ()}
    assert told == {
        both[0].id: ("2016-06-14", "09:00+02:00", "09:45+02:00", "in_person"),
        both[1].id: ("2016-06-14", "09:00+02:00", "09:45+02:00", "virtual"),
    }
    documents = published.export().model_dump(mode="json", exclude_none=True)["services"]
    assert [fault for one in documents for fault in wrong("service", one, "service")] == []


def test_the_agreement_is_not_published():
    assert "2016-12-31" not in publisher().export().model_dump_json()


def test_an_offer_without_a_service_belongs_to_the_only_one_of_its_kind():
    alone = publisher(an_offer())
    among = publisher(an_offer(), services=(service(), service("another")))
    named = publisher(an_offer(service="another"), services=(service(), service("another")))
    assert seats(alone.service(service())) == (3, 0, 3)
    assert seats(among.service(service())) is None
    assert seats(named.service(service("another"))) == (3, 0, 3)


def test_what_is_retired_is_inactive_and_stays_out_of_the_export():
    retired = service(retired=True)
    published = publisher(services=(retired,))
    assert published.service(retired).status == "inactive"
    assert published.export().services == ()


def test_an_offer_lies_at_the_site_in_its_district_or_with_the_service_alone():
    published = publisher(an_offer(taken=1), an_offer("elsewhere", seats=5, district=BRAMSCHE))
    document = published.service(service())
    assert document.service_at_locations is not None
    (place,) = document.service_at_locations
    assert (seats(document), seats(place)) == ((8, 1, 7), (3, 1, 2))
    assert [one.id for one in document.schedules or ()] == [id_of("elsewhere", "offer")]
    assert [one.id for one in place.schedules or ()] == [id_of("offer", "offer")]
    assert kind_of(document.attributes or ()) is COURSE


def seats(document: Any) -> tuple[int, int, int] | None:
    """Maximum, taken and free."""
    values = [value_of(document.attributes, term) for term in (Capacity.MAXIMUM, Capacity.TAKEN, Capacity.FREE)]
    return None if None in values else tuple(map(int, values))  # pyright: ignore[reportReturnType, reportArgumentType]


OFFERS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from((MELLE, BRAMSCHE)), st.booleans()), max_size=6
)


@given(OFFERS)
def test_never_more_seats_are_taken_or_free_than_there_are(told: list[tuple[int, int, str, bool]]):
    offers = [
        an_offer(f"offer {place}", seats=number, taken=min(taken, number), district=district)
        for place, (number, taken, district, _) in enumerate(told)
    ]
    document = publisher(*offers).service(service())
    places = document.service_at_locations or ()
    for one in (
        document,
        *places,
        *(document.schedules or ()),
        *(each for place in places for each in place.schedules or ()),
    ):
        if (found := seats(one)) is not None:
            maximum, taken, free = found
            assert 0 <= taken <= maximum
            assert 0 <= free == maximum - taken
    in_all = sum(offer.seats for offer in offers)
    assert (seats(document) or (0,))[0] == in_all
    assert len(document.schedules or ()) + sum(len(place.schedules or ()) for place in places) == len(offers)


# --- over the wire --------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="package")
async def test_everybody_who_is_signed_in_reads_the_api_and_its_pages(house: House):
    await fill(house)
    services = [{"code": f"course-{number}", "entry": course().model_dump(mode="json")} for number in range(4)]
    offer = {"partner": "vhs", "service": "course", "kind": COURSE, "district": MELLE, "seats": 2}
    async with house.client(Role.COORDINATOR) as coordinator:
        more = {"partners": [{"code": "vhs", "entry": VHS, "services": services}]}
        assert (await coordinator.post("/v1/directory/partners", json=more, headers=key())).status_code == 200
        await coordinator.put(f"/v1/offers/{id_of('course', 'offer')}", json=offer, headers=key())
    async with house.client(Role.CLERK) as clerk:
        about = (await clerk.get("/hsds/")).json()
        assert (await clerk.get("/hsds")).json() == about
        assert (about["version"], about["openapi_url"]) == ("3.0", "http://referral/openapi.json")
        first = (await clerk.get("/hsds/services?per_page=2")).json()
        pages = [first, *[(await clerk.get(f"/hsds/services?per_page=2&page={page}")).json() for page in (2, 3, 4)]]
        assert {frozenset(page) for page in pages} == {frozenset(PAGE)}
        assert [(page["total_items"], page["total_pages"], page["size"]) for page in pages] == [
            (5, 3, 2), (5, 3, 2), (5, 3, 1), (5, 3, 0),
        ]  # fmt: skip
        assert [(page["first_page"], page["last_page"], page["empty"]) for page in pages] == [
            (True, False, False), (False, False, False), (False, True, False), (False, True, True),
        ]  # fmt: skip
        ids = [one["id"] for page in pages for one in page["contents"]]
        assert ids == sorted(set(ids))
        for name, table in (
            ("services", "service"),
            ("organizations", "organization"),
            ("service_at_locations", "service_at_location"),
            ("taxonomies", "taxonomy"),
            ("taxonomy_terms", "taxonomy_term"),
        ):
            for path in (f"/hsds/{name}", f"/hsds/{name}?full=true"):
                listed = (await clerk.get(path)).json()["contents"]
                assert listed
                assert [fault for one in listed for fault in wrong(table, one, name)] == []
            alone = (await clerk.get(f"/hsds/{name}/{listed[0]['id']}")).json()
            assert alone == listed[0]
            assert (await clerk.get(f"/hsds/{name}/{id_of('nothing')}")).json()["code"] == "entry-not-found"
        exported = await clerk.get("/hsds/export")
    assert exported.headers["content-disposition"] == f'attachment; filename="hsds-{COUNTY}.json"'
    assert len(exported.json()["services"]) == 5


@pytest.mark.asyncio(loop_scope="package")
async def test_services_are_found_by_organisation_by_kind_and_by_the_day_of_their_change(house: House):
    await fill(house)
    kind, other = term_id(KINDS, COURSE), term_id(KINDS, ServiceKind.LOTSE)
    async with house.client(Role.REPORTER) as reporter:
        for query, number in {
            f"organization_id={partner_id(COUNTY, 'vhs')}": 1,
            f"organization_id={partner_id(COUNTY, 'another')}": 0,
            f"taxonomy_term_id={kind}": 1,
            f"taxonomy_term_id={other}": 0,
            "modified_after=2016-06-01T09:30:00Z": 1,
            "modified_after=2016-06-01T09:30:01Z": 0,
        }.items():
            assert (await reporter.get(f"/hsds/services?{query}")).json()["total_items"] == number, query
        seats = (await reporter.get(f"/hsds/taxonomy_terms?taxonomy_id={term_id(CAPACITY)}")).json()
    assert [one["code"] for one in seats["contents"]] == [*Capacity]


@pytest.mark.asyncio(loop_scope="package")
async def test_another_county_and_somebody_without_a_token_read_nothing(house: House):
    await fill(house)
    async with house.client(Role.COORDINATOR, county="03157") as stranger:
        assert (await stranger.get("/hsds/services")).json()["total_items"] == 0
        assert (await stranger.get(f"/hsds/organizations/{partner_id(COUNTY, 'vhs')}")).status_code == 404
        stranger.headers.pop("authorization")
        assert (await stranger.get("/hsds/")).status_code == 401
