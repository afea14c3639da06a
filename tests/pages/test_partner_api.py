"""The page on the API for partners says what is so: its examples run, in their order, against the started service."""

from __future__ import annotations

import asyncio
import doctest
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from schemas.codes import Role
from services.referral.locations import Locations
from services.referral.notices.sending import Post
from tests.pages.conftest import Site
from tests.pages.outside import endpoint
from tests.pages.test_partner_pages import vhs
from tests.pages.visitor import Visitor
from tests.referral.house import House
from tests.referral.test_doors import partner_of, put

pytestmark = pytest.mark.asyncio(loop_scope="package")

PAGE = Path("docs/architecture/partner-api.md")
NOTICES = "/v1/notices/channels"


def allows_private_addresses(site: Site, allowed: bool) -> None:
    """The endpoint of a test lies on this machine."""
    vars(site.house.running.settings)["webhook_private_addresses"] = allowed


async def test_every_example_on_the_page_for_partners_runs_as_it_is_written(site: Site):
    loop = asyncio.get_running_loop()
    allows_private_addresses(site, True)
    async with endpoint() as here, site.house.client(Role.PARTNER, "vhs") as partner:
        post = Post(replace(site.house.running), Locations())

        def arrived() -> tuple[dict[str, str], bytes]:
            asyncio.run_coroutine_threadsafe(post.turn(site.house.store), loop).result(30)
            return here.heard[-1]

        def run() -> doctest.TestResults:
            headers = {"authorization": partner.headers["authorization"]}
            with httpx.Client(base_url=site.url, headers=headers) as client:
                names = {"client": client, "endpoint": here.url, "arrived": arrived}
                text = PAGE.read_text(encoding="utf-8").replace("\n```\n", "\n\n```\n")
                examples = doctest.DocTestParser().get_doctest(text, names, PAGE.name, str(PAGE), 0)
                said: list[str] = []
                runner = doctest.DocTestRunner()
                results = runner.run(examples, out=said.append, clear_globs=False)
                assert results.failed == 0, "".join(said)
                return results

        results = await asyncio.to_thread(run)
    allows_private_addresses(site, False)
    assert results.attempted > 30


async def signed_in(site: Site) -> Visitor:
    """Somebody of the vhs, which has an offer."""
    async with partner_of(site.house) as partner:
        await put(partner)
    return await vhs(site)


async def registered(house: House, target: str, kind: str = "webhook") -> httpx.Response:
    async with house.client(Role.PARTNER, "vhs") as partner:
        return await partner.post(NOTICES, json={"kind": kind, "target": target})


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1/hook",
        "https://10.0.0.8/hook",
        "https://[::1]/hook",
        "https://[::ffff:192.168.1.1]/",
        "https://169.254.169.254/",
    ],
)
async def test_neither_page_nor_api_takes_a_webhook_into_a_network_of_ours(target: str, site: Site):
    by_api = await registered(site.house, target)
    assert (by_api.status_code, [one["field"] for one in by_api.json()["errors"]]) == (422, ["target"])
    visitor = await signed_in(site)
    page = await visitor.open("/pages/partner/notices")
    form = next(one for one in page.forms if one.fields.get("kind") == "webhook")
    by_page = await visitor.send(form, target=target)
    assert by_page.status == 422
    assert by_api.json()["errors"][0]["message"] in by_page.text
    assert (await site.house.running.database.raw["channels"].count_documents({})) == 0


async def test_what_was_registered_by_api_stands_on_the_page_and_is_the_same_channel(site: Site):
    first = await registered(site.house, "courses@example.org", "mail")
    again = await registered(site.house, "courses@example.org", "mail")
    assert (first.status_code, first.json()["secret"]) == (201, None)
    assert again.json() == first.json()
    visitor = await signed_in(site)
    page = await visitor.open("/pages/partner/notices")
    assert "courses@example.org" in page.text
    await visitor.send(page.form("/removal"))
    async with site.house.client(Role.PARTNER, "vhs") as partner:
        assert (await partner.get(NOTICES)).json()["items"] == []
        ping = await partner.post(f"{NOTICES}/{first.json()['channel']}/ping")
    assert ping.status_code == 404


async def test_a_mail_address_is_not_pinged(site: Site):
    channel = (await registered(site.house, "courses@example.org", "mail")).json()["channel"]
    async with site.house.client(Role.PARTNER, "vhs") as partner:
        assert (await partner.post(f"{NOTICES}/{channel}/ping")).json()["code"] == "channel-not-webhook"
