"""What the coordinator is shown: partners that may be one, and entries that nobody has confirmed for long."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import Role
from services.referral.county import settings_of
from services.referral.directory.listing import Directory
from services.referral.directory.review import Duplicate, Part, Same, duplicates, plain_name, plain_phone, stale
from services.referral.directory.states import Partner, Service, partner_id, service_id
from services.referral.offers import Offer
from tests.referral.directory import VHS, course, entry
from tests.referral.house import House, key
from tests.referral.network import BRAMSCHE, COUNTY, TODAY, id_of, terms
from tests.referral.test_directory_doors import fill


def partner(code: str, *, retired: bool = False, confirmed_on: date | None = TODAY, **other: Any) -> Partner:
    """A partner with nothing but a name, unless told otherwise."""
    bare = {"email": None, "phone": None, "website": None, "sites": [], "contacts": []}
    told = {"code": code, "entry": entry(**{**bare, **other}), "confirmed_on": confirmed_on, "retired": retired}
    return Partner(id=partner_id(COUNTY, code)).but(**told)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"name": "Frauenhaus Müller e.V."}, {"name": "FRAUENHAUS  Mueller e. V."}, Same.NAME),
        ({"name": "A", "email": "Info@vhs.example"}, {"name": "B", "email": "info@vhs.example"}, Same.EMAIL),
        ({"name": "A", "phone": "05422 / 1234"}, {"name": "B", "phone": "+49 (0)5422-1234"}, Same.PHONE),
        ({"name": "A", "website": "http://www.vhs.example"}, {"name": "B", "website": "https://vhs.example/"}, Same.WEBSITE),
    ],
)  # fmt: skip
def test_two_partners_that_share_a_mark_are_listed_with_it(one: dict[str, Any], other: dict[str, Any], same: Same):
    assert duplicates([partner("one", **one), partner("other", **other)]) == [Duplicate(("one", "other"), (same,))]


def test_the_same_name_in_another_district_is_another_partner():
    elsewhere = [{**VHS["sites"][0], "district": BRAMSCHE}]
    assert duplicates([partner("one", sites=VHS["sites"]), partner("other", sites=elsewhere)]) == []
    both = duplicates([partner("one", sites=VHS["sites"]), partner("other", sites=VHS["sites"])])
    assert both == [Duplicate(("one", "other"), (Same.NAME,))]


def test_partners_that_share_several_marks_are_listed_once():
    assert duplicates([partner("one", email="a@b.example"), partner("other", email="a@b.example")]) == [
        Duplicate(("one", "other"), (Same.NAME, Same.EMAIL))
    ]


def test_who_was_retired_is_nobodys_duplicate():
    assert duplicates([partner("one"), partner("other", retired=True)]) == []


NAMES = st.sampled_from(("Lotsen", "lotsen e.V.", "Lötsen", "Hafen"))
MAILS = st.sampled_from((None, "a@b.example", "A@b.example", "c@d.example"))


@given(st.lists(st.tuples(NAMES, MAILS), max_size=6), st.randoms(use_true_random=False))
def test_duplicates_do_not_depend_on_the_order_and_pair_exactly_those_with_a_mark_in_common(
    told: list[tuple[str, str | None]], chance: Any
):
    partners = [partner(f"p{place}", name=name, email=mail) for place, (name, mail) in enumerate(told)]
    found = duplicates(partners)
    chance.shuffle(partners)
    assert duplicates(partners) == found
    paired = {(one, other) for group in found for one in group.partners for other in group.partners if one < other}
    assert paired == {
        (f"p{one}", f"p{other}")
        for one in range(len(told))
        for other in range(one + 1, len(told))
        if plain_name(told[one][0]) == plain_name(told[other][0])
        or (told[one][1] or "-").lower() == (told[other][1] or "+").lower()
    }


@given(st.text(max_size=40))
def test_a_plain_name_stays_as_it_is(name: str):
    assert plain_name(plain_name(name)) == plain_name(name)


def test_a_number_is_the_same_with_and_without_the_country():
    assert {plain_phone(one) for one in ("05422 12", "+49 5422 12", "0049 5422-12", "+49 (0)5422/12")} == {"49542212"}


# --- what is stale ----------------------------------------------------------------------------------------------------------


DAY = st.none() | st.integers(0, 200).map(lambda ago: TODAY - timedelta(days=ago))


@given(DAY, DAY, DAY, st.booleans(), st.integers(0, 120))
def test_exactly_what_is_active_and_was_not_confirmed_for_so_many_days_is_stale(
    of_partner: date | None,
    of_service: date | None,
    of_offer: date | None,
    retired: bool,
    days: int,
):
    service = Service(id=service_id(COUNTY, "vhs", "course")).but(
        partner="vhs", code="course", entry=course(), confirmed_on=of_service
    )
    offer = Offer(id=id_of("offer"), terms=terms(service="course"), seats=1).but(confirmed_on=of_offer)
    directory = Directory([partner("vhs", retired=retired, confirmed_on=of_partner)], [service], [offer])
    parts = {Part.PARTNER: of_partner, Part.SERVICE: of_service, Part.OFFER: of_offer}
    expected = {part for part, day in parts.items() if day is None or (TODAY - day).days > days}
    found = stale(directory, TODAY, days)
    assert {one.part for one in found} == (set[Part]() if retired else expected)
    assert found == sorted(found, key=lambda one: (one.confirmed_on or date.min, one.part))


def test_the_county_sets_after_how_many_days_and_ninety_is_the_default():
    assert settings_of(COUNTY, TODAY).directory.stale_after_days == 90


@pytest.mark.asyncio(loop_scope="package")
async def test_the_coordinator_reads_both_lists_in_pages_and_nobody_else_does(house: House):
    await fill(house)
    await fill(house, code="vhs-2")
    twins = {"partners": [{"code": f"twin-{one}", "entry": {**VHS, "name": "Twin", "sites": []}} for one in (1, 2)]}
    async with house.client(Role.COORDINATOR) as coordinator, house.client(Role.PARTNER, "vhs") as other:
        await coordinator.post("/v1/directory/partners", json=twins, headers=key())
        first = (await coordinator.get("/v1/directory/duplicates?limit=1")).json()
        second = (await coordinator.get("/v1/directory/duplicates", params={"cursor": first["next"]})).json()
        assert [one["partners"] for one in (*first["items"], *second["items"])] == [
            ["twin-1", "twin-2"], ["twin-1", "twin-2", "vhs", "vhs-2"], ["vhs", "vhs-2"],
        ]  # fmt: skip
        assert first["items"][0]["same"] == ["name"]
        assert (await coordinator.get("/v1/directory/stale")).json()["items"] == []
        for name in ("duplicates", "stale"):
            assert (await other.get(f"/v1/directory/{name}")).status_code == 403


@pytest.mark.asyncio(loop_scope="package")
async def test_after_ninety_days_without_a_word_an_entry_is_listed_and_another_county_sees_none_of_it(house: House):
    await fill(house)
    raw = house.running.database.raw
    for name in ("partners", "services"):
        await raw[name].update_many({}, {"$set": {"body.confirmed_on": (TODAY - timedelta(days=91)).isoformat()}})
    async with house.client(Role.COORDINATOR) as coordinator:
        listed = (await coordinator.get("/v1/directory/stale")).json()["items"]
        assert [(one["part"], one["partner"], one["code"], one["days"]) for one in listed] == [
            ("partner", "vhs", None, 91), ("service", "vhs", "course", 91),
        ]  # fmt: skip
        await coordinator.post("/v1/directory/partners/vhs/confirmation", headers=key())
        left = (await coordinator.get("/v1/directory/stale")).json()["items"]
        assert [one["part"] for one in left] == ["service"]
    async with house.client(Role.COORDINATOR, county="03157") as stranger:
        assert (await stranger.get("/v1/directory/stale")).json()["items"] == []
        assert (await stranger.get("/v1/directory/duplicates")).json()["items"] == []
