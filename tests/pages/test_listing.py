"""A partner's long lists: page by page, while others work on the same list."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Browser

from services.referral.pages import listing
from services.referral.pages.listing import LISTS, Part, part_of
from services.referral.referrals import ReferralState
from services.referral.store import Glance
from services.runtime.cursors import LONGEST_CURSOR
from services.runtime.store import CountyStore
from tests.pages.axe import wrong
from tests.pages.conftest import Site
from tests.pages.test_in_a_browser import signed_in, tab_to, window
from tests.pages.test_partner_pages import _all, agreed, vhs  # pyright: ignore[reportPrivateUsage]
from tests.pages.visitor import Page, Visitor
from tests.referral.network import id_of

JUNE = datetime(2016, 6, 1, tzinfo=UTC)
NAMES = ("amal", "badr", "chen", "dana", "elif")


def glance(number: int, hours: int, name: str) -> Glance:
    state = {
        "new": ReferralState.AGREED,
        "running": ReferralState.STARTED,
        "done": ReferralState.COMPLETED,
    }[name]
    return Glance(
        f"case-{number}", f"referral-{number:02}", f"offer-{hours}", "vhs", state, JUNE + timedelta(hours=hours), True
    )


@pytest.fixture
def two_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)


ENTRIES = st.lists(st.integers(0, 3), max_size=120)


@pytest.mark.parametrize("name", LISTS)
@given(hours=ENTRIES, data=st.data())
def test_who_stays_in_a_list_that_changes_is_shown_once_and_nobody_twice(
    name: str, hours: list[int], data: st.DataObject
) -> None:
    everybody = [glance(number, hour, name) for number, hour in enumerate(hours)]
    present = set(data.draw(st.sets(st.sampled_from(everybody)))) if everybody else set[Glance]()
    stay = set(present)
    seen: list[Glance] = []
    cursor: str | None = None
    while True:
        part: Part = part_of(LISTS[name], present, "vhs", cursor)
        assert len(part.shown) <= listing.PAGE
        seen += part.shown
        cursor = part.next
        if cursor is None:
            break
        assert len(cursor) <= LONGEST_CURSOR
        present = set(data.draw(st.sets(st.sampled_from(everybody))))
        stay &= present
    assert len(seen) == len(set(seen))
    assert stay <= set(seen)
    assert seen == sorted(seen, key=LISTS[name].place)


def test_the_most_urgent_is_first_and_what_ended_last_is_first() -> None:
    some = [glance(number, hour, "new") for number, hour in enumerate((3, 1, 2))]
    assert [one.at for one in part_of(LISTS["new"], some, "vhs", None).shown] == [
        JUNE + timedelta(hours=hour) for hour in (1, 2, 3)
    ]
    ended = [glance(number, hour, "done") for number, hour in enumerate((3, 1, 2))]
    assert [one.at for one in part_of(LISTS["done"], ended, "vhs", None).shown] == [
        JUNE + timedelta(hours=hour) for hour in (3, 2, 1)
    ]


def test_another_partners_referral_of_the_same_person_is_in_no_list_of_mine() -> None:
    for name, order in LISTS.items():
        assert part_of(order, [glance(1, 1, name)], "another", None).total == 0


def entries(page: Page) -> list[str]:
    """The referrals in the order of the list."""
    return re.findall(
        r'class="card__title"><a class="kern-link" href="/pages/partner/referrals/([^"]+)"', page.answer.text
    )


def further(page: Page) -> str | None:
    found = re.search(r'href="(/pages/partner/\w+\?after=[^"]+)"', page.answer.text)
    return found[1] if found else None


async def through(visitor: Visitor, path: str | None) -> list[list[str]]:
    pages: list[list[str]] = []
    while path is not None:
        page = await visitor.open(path)
        assert page.status == 200
        pages.append(entries(page))
        path = further(page)
    return pages


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.usefixtures("two_a_page")
@pytest.mark.parametrize("tab", LISTS)
async def test_every_entry_of_every_list_is_reached_by_links(site: Site, tab: str):
    referrals = await agreed(site, *NAMES)
    visitor = await vhs(site)
    if tab != "new":
        for one in referrals.values():
            page = await visitor.open(f"/pages/partner/referrals/{one}")
            step = "/acceptance" if tab == "running" else "/decline"
            await visitor.send(page.form(step), **({} if tab == "running" else {"reason": "provider-full"}))
    pages = await through(visitor, f"/pages/partner/{tab}")
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {one for page in pages for one in page} == set(referrals.values())


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.usefixtures("two_a_page")
async def test_what_is_answered_meanwhile_leaves_nobody_out_and_the_page_says_how_many_there_are(site: Site):
    referrals = await agreed(site, *NAMES)
    visitor = await vhs(site)
    first = await visitor.open("/pages/partner/new")
    assert "Entries 1 to 2 of 5" in first.text
    path = further(first)
    assert path is not None
    assert not any(id_of(name, "case") in path for name in NAMES)
    await visitor.send(first.form("/acceptance"))
    second = await visitor.open(path)
    assert "Entries 2 to 3 of 4" in second.text
    assert "To the beginning of the list" in second.text
    rest = await through(visitor, path)
    assert {*entries(first), *(one for page in rest for one in page)} == set(referrals.values())
    german = await visitor.send(second.form("/language"), language="de")
    assert "Einträge 2 bis 3 von 4" in german.text
    left = {name: one for name, one in referrals.items() if one != entries(first)[0]}
    await _all(site, left, "refusal")
    assert "Weitere Einträge gibt es nicht." in (await visitor.open(path)).text


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.usefixtures("two_a_page")
async def test_a_page_reads_the_whole_documents_of_its_own_entries_alone(site: Site, monkeypatch: pytest.MonkeyPatch):
    await agreed(site, *NAMES)
    visitor = await vhs(site)
    by_ids = CountyStore.by_ids
    read: list[int] = []

    async def counted(self: CountyStore, collection: str, ids: list[str]):
        if collection == "cases":
            read.append(len(ids))
        return await by_ids(self, collection, ids)

    monkeypatch.setattr(CountyStore, "by_ids", counted)
    await visitor.open("/pages/partner/new")
    assert read == [2]


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("cursor", ["Amal", "", "WyJhIiwiYiJd"])
async def test_an_address_that_is_no_place_in_the_list_is_told_so(site: Site, cursor: str):
    await agreed(site, "amal")
    page = await (await vhs(site)).open(f"/pages/partner/new?after={cursor}")
    assert page.status == 400
    assert "Please start the list from its beginning." in page.text


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.usefixtures("two_a_page")
@pytest.mark.parametrize(("language", "width"), [("de", 1280), ("en", 360)])
async def test_by_keyboard_one_comes_to_the_next_page_and_axe_finds_nothing_there(
    site: Site, chromium: Browser, language: str, width: int
):
    await agreed(site, *NAMES)
    async with window(chromium, site, language, width) as page:
        await signed_in(page)
        await page.goto("/pages/partner/new")
        await tab_to(page, {"de": "Weitere Einträge", "en": "Further entries"}[language])
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/new?after=*")
        assert await wrong(page, colours=width == 1280) == []
