"""How partners are told: a mail with a link for one answer, webhooks with signatures; each once, whatever happens in between."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schemas.events import PersonErased
from services.referral.locations import Locations
from services.referral.notices import keeping, sending
from services.referral.notices.addresses import AddressForbidden, Resolve, is_public, place_of, resolved
from services.referral.notices.sending import Post
from services.referral.pages.answering import Answering
from services.referral.pages.reading import Reading
from services.runtime.clock import HandClock
from services.runtime.seals import Seals
from services.runtime.tokens import Actor
from tests.pages.conftest import Site
from tests.pages.outside import Endpoint, MailServer, endpoint, mail_server
from tests.pages.test_partner_pages import VHS, _all, accepted, agreed, state_of, vhs
from tests.pages.visitor import Page, Visitor
from tests.referral.network import COUNTY, id_of
from tests.referral.test_doors import partner_of, put

pytestmark = pytest.mark.asyncio(loop_scope="package")


@asynccontextmanager
async def post(site: Site, resolve: Resolve = resolved, **settings: Any) -> AsyncIterator[Post]:
    """The post office of the running pages, with these settings."""
    running = site.house.running
    changed = replace(running, settings=running.settings.model_copy(update=settings))
    yield Post(changed, Locations(), resolve=resolve)


def mailing(server: MailServer) -> dict[str, Any]:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_security": "none",
        "smtp_from": "wegenetz@example.org",
        "public_url": "https://partner.example.org",
    }


async def register(visitor: Visitor, kind: str, target: str) -> Page:
    page = await visitor.open("/pages/partner/notices")
    form = next(one for one in page.forms if one.fields.get("kind") == kind)
    return await visitor.send(form, target=target)


def link_in(text: str) -> str:
    found = re.search(r"https://partner\.example\.org(/pages/answer/\S+)", text)
    assert found is not None
    return found[1]


# --- the link -----------------------------------------------------------------------------------------------------------


async def mailed(site: Site, *names: str) -> tuple[list[str], MailServer]:
    """The links in the mails that the vhs gets for these people."""
    await agreed(site, *names)
    await register(await vhs(site), "mail", "courses@example.org")
    async with mail_server() as server, post(site, **mailing(server)) as office:
        await office.turn(site.house.store)
        await office.turn(site.house.store)
    return [link_in(one.get_content()) for one in server.taken], server


async def test_a_partner_without_a_system_gets_one_mail_with_a_link_and_nothing_of_the_person_in_it(site: Site):
    links, server = await mailed(site, "amal")
    (mail,) = server.taken
    assert len(links) == 1
    assert mail["To"] == "courses@example.org"
    assert "15 June 2016" in mail["Subject"]
    text = mail.get_content().replace(links[0], "").lower()  # what is drawn by lot may hold an "a1"
    assert not any(word in text for word in ("arabic", "a1", "melle", id_of("amal", "case")))


async def test_whoever_opens_the_link_changes_nothing_and_whoever_sends_the_form_answers(site: Site):
    (link,), _ = await mailed(site, "amal")
    for _ in range(3):  # mail scanners open links
        page = await site.visitor().open(link)
        assert "Arabic" in page.text
    assert await state_of(site, "amal") == "agreed"
    somebody = site.visitor()
    done = await somebody.send((await somebody.open(link)).form("/acceptance"))
    assert "Thank you. You have accepted." in done.text
    assert await state_of(site, "amal") == "accepted"
    after = await site.visitor().open(link)
    assert "This link does not count any more." in after.text
    assert "Arabic" not in after.text


async def test_a_link_that_declines_asks_for_the_reason_and_keeps_working_until_it_has_it(site: Site):
    (link,), _ = await mailed(site, "amal")
    somebody = site.visitor()
    without = await somebody.send((await somebody.open(link)).form("/decline"))
    assert without.status == 422
    done = await somebody.send(without.form("/decline"), reason="provider-full")
    assert "Thank you for your answer." in done.text
    assert await state_of(site, "amal") == "declined"


async def test_a_link_answers_its_own_referral_only_and_takes_no_other_step(site: Site):
    links, _ = await mailed(site, "amal", "badr")
    assert len(set(links)) == 2
    somebody = site.visitor()
    form = (await somebody.open(links[0])).form("/acceptance")
    form.action = form.action.replace("/acceptance", "/completion")
    assert (await somebody.send(form, outcome="level-b1")).status in (403, 404, 422)
    form.action = form.action.replace("/completion", "/acceptance")
    await somebody.send(form)
    states = {await state_of(site, name) for name in ("amal", "badr")}
    assert states == {"accepted", "agreed"}


async def test_a_link_opens_nothing_when_it_was_never_given_out_or_when_the_person_has_changed_their_mind(site: Site):
    (link,), _ = await mailed(site, "amal")
    somebody = site.visitor()
    form = (await somebody.open(link)).form("/acceptance")
    case = await site.house.case("amal")
    assert case.needs[0].live is not None
    made_up = link[:-4] + ("AAAA" if not link.endswith("AAAA") else "BBBB")
    elsewhere = link.replace(f"/{COUNTY}/", "/03157/")
    for wrong in (made_up, elsewhere, f"/pages/answer/{COUNTY}/x"):
        assert "This link does not count any more." in (await somebody.open(wrong)).text
    await _all(site, {"amal": case.needs[0].live.id}, "refusal")
    assert "This link does not count any more." in (await somebody.send(form)).text


async def test_a_link_counts_until_the_last_moment_of_its_deadline(site: Site):
    await agreed(site, "amal")
    case = await site.house.case("amal")
    assert case.needs[0].live is not None
    deadline = case.needs[0].live.deadline
    assert deadline is not None
    reading = Reading(site.house.running, Locations())
    actor = Actor("somebody", "partner", COUNTY, organisation="vhs")
    one = await reading.one(actor, case.needs[0].live.id)
    for late, counts in ((timedelta(milliseconds=-1), True), (timedelta(0), False)):
        at = replace(site.house.running, clock=HandClock(deadline + late))
        assert Answering(at, reading).waits(one) is counts


async def test_what_is_stored_of_a_link_does_not_open_it(site: Site):
    (link,), _ = await mailed(site, "amal")
    token = link.rpartition("/")[2]
    for name in await site.house.collections():
        async for stored in site.house.running.database.raw[name].find({}):
            assert token not in str(stored)


async def test_without_a_mail_server_the_mail_is_read_on_a_page_and_its_link_works(site: Site):
    await agreed(site, "amal")
    visitor = await vhs(site)
    await register(visitor, "mail", "courses@example.org")
    async with post(site) as office:
        await office.turn(site.house.store)
    page = await visitor.open("/pages/partner/notices")
    assert "A referral waits for your answer until 15 June 2016" in page.text
    found = re.search(r'href="(/pages/answer/[^"]+)"', page.answer.text)
    assert found is not None
    assert "Arabic" in (await site.visitor().open(found[1])).text
    operator = site.visitor()
    await operator.sign_in(f"{COUNTY}/operator/")
    assert "To be read here" in (await operator.open("/pages/partner/notices")).text


async def test_a_mail_server_that_is_away_or_a_crash_before_the_mark_leads_to_one_more_try_under_the_same_id(
    site: Site,
):
    await agreed(site, "amal")
    await register(await vhs(site), "mail", "courses@example.org")
    async with mail_server() as server, post(site, **mailing(server)) as office:
        server.refuse = "451 later"
        await office.turn(site.house.store)
        (waiting,) = await keeping.notices(site.house.store, "vhs", 10)
        assert (waiting.state, waiting.attempts, waiting.last) == ("waiting", 1, "recipient-refused")
        server.refuse = ""
        for _ in range(2):  # as it stood before the mark: what a crash between sending and marking leaves
            await keeping.write(site.house.store, keeping.put_notice(COUNTY, replace(waiting, due=0)))
            await office.turn(site.house.store)
    assert len({one["Message-ID"] for one in server.taken}) == 1
    (sent,) = await keeping.notices(site.house.store, "vhs", 10)
    assert (sent.state, sent.token) == ("sent", b"")


# --- webhooks -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def hooked(site: Site) -> AsyncIterator[tuple[Endpoint, Post, str, Visitor]]:
    """An endpoint of the vhs, the post office, and the secret as it was shown."""
    running = site.house.running
    settings = running.settings
    async with endpoint() as here, post(site, webhook_private_addresses=True) as office:
        running.settings = settings.model_copy(update={"webhook_private_addresses": True})
        try:
            visitor = await vhs(site)
            page = await register(visitor, "webhook", here.url)
            found = re.search(r"whsec_[A-Za-z0-9+/=]+", page.text)
            assert found is not None, page.text
            yield here, office, found[0], visitor
        finally:
            running.settings = settings


async def test_each_step_is_told_once_signed_by_the_specification_and_nothing_personal(site: Site):
    referrals = await agreed(site, "amal")
    async with hooked(site) as (here, office, secret, _):
        await office.turn(site.house.store)
        visitor = await vhs(site)
        await visitor.send((await visitor.open("/pages/partner/new")).form("/acceptance"))
        for _ in range(2):
            await office.turn(site.house.store)
        heard = here.verified(secret)
    told = [json.loads(body) for _, body in heard]
    assert [one["type"] for one in told] == ["referral.waiting-for-answer", "referral.accepted"]
    assert told[0]["data"] == {
        "county": COUNTY,
        "referral": referrals["amal"],
        "offer": id_of("course", "offer"),
        "state": "agreed",
        "answer_by": "2016-06-15T22:00:00.000Z",
    }
    assert len({id for id, _ in heard}) == 2


async def test_what_was_not_taken_is_sent_again_under_its_id_and_what_an_end_brings_is_told_too(site: Site):
    await accepted(site, "amal")
    async with hooked(site) as (here, office, secret, _):
        here.status = 500
        await office.turn(site.house.store)
        (waiting,) = await keeping.notices(site.house.store, "vhs", 10)
        assert (waiting.state, waiting.last) == ("waiting", "500")
        first_pause = (waiting.due - waiting.made) / 1000
        assert sending.PAUSES[0] <= first_pause <= sending.PAUSES[0] * (1 + sending.JITTER) + 30
        here.status = 200
        await keeping.write(site.house.store, keeping.put_notice(COUNTY, replace(waiting, due=0)))
        await office.turn(site.house.store)
        await site.house.hear((PersonErased(), id_of("amal", "case")))
        await office.turn(site.house.store)
        ids = [id for id, _ in here.verified(secret)]
    assert len(ids) == 2
    assert len(set(ids)) == 1  # the same notice twice; of an erased person nothing more


async def test_an_endpoint_that_is_gone_or_silent_for_days_is_switched_off_reported_and_can_be_switched_on(site: Site):
    await agreed(site, "amal")
    async with hooked(site) as (here, office, _, visitor):
        await register(visitor, "mail", "courses@example.org")
        here.status = 410
        await office.turn(site.house.store)
        page = await visitor.open("/pages/partner/notices")
        assert "the address said that it is gone" in page.text
        await office.turn(site.house.store)
        assert "One of your interfaces was switched off" in (await visitor.open("/pages/partner/notices")).text
        here.status = 200
        on = await visitor.send((await visitor.open("/pages/partner/notices")).form("/activation"))
        await visitor.send(on.form("/again"))
        await office.turn(site.house.store)
        assert len(here.heard) == 2
        (off,) = [one for one in await keeping.notices(site.house.store, "vhs", 10) if one.kind == "webhook"]
        last = replace(off, state="waiting", attempts=len(sending.PAUSES), due=0)
        await keeping.write(site.house.store, keeping.put_notice(COUNTY, last))
        here.status = 302
        await office.turn(site.house.store)
        assert len(here.heard) == 3  # a redirect is not followed
        assert "has taken no message for days" in (await visitor.open("/pages/partner/notices")).text


@pytest.mark.parametrize(("path", "sealed_for"), [("\x01", "bad"), ("", "another")])
async def test_an_interface_to_which_nothing_can_be_sent_hinders_no_other(site: Site, path: str, sealed_for: str):
    await agreed(site, "amal")
    async with hooked(site) as (here, office, secret, _):
        (good,) = await keeping.channels(site.house.store)
        sealed = Seals(site.house.running.settings).of("webhooks").close(secret.encode(), sealed_for)
        bad = replace(good, id="bad", target=good.target + path, secret=sealed)
        await keeping.write(site.house.store, keeping.put_channel(COUNTY, bad))
        await office.turn(site.house.store)
        states = {one.channel: one.state for one in await keeping.notices(site.house.store, "vhs", 10)}
    assert states == {good.id: "sent", "bad": "waiting"}
    assert len(here.heard) == 1


@pytest.mark.parametrize("then", ["registered again", "removed"])
async def test_what_fails_late_brings_no_removed_interface_back_and_spoils_no_new_secret(site: Site, then: str):
    await agreed(site, "amal")
    async with hooked(site) as (here, _, _, visitor):
        here.status = 410
        wanted: list[keeping.Channel] = []

        async def meanwhile(host: str, port: int) -> list[str]:
            """The partner changes its mind while the message is under way."""
            if then == "removed":
                await visitor.send((await visitor.open("/pages/partner/notices")).form("/removal"))
            else:
                await register(visitor, "webhook", here.url)
            wanted.extend(await keeping.channels(site.house.store))
            return [host]

        async with post(site, meanwhile, webhook_private_addresses=True) as office:
            await office.turn(site.house.store)
        assert len(here.heard) == 1
        assert await keeping.channels(site.house.store) == wanted


async def test_the_links_of_an_address_that_was_removed_open_nothing_and_those_of_another_do(site: Site):
    (link,), _ = await mailed(site, "amal")
    visitor = await vhs(site)
    await register(visitor, "mail", "office@example.org")
    async with mail_server() as server, post(site, **mailing(server)) as office:
        await office.turn(site.house.store)
    others = link_in(server.taken[-1].get_content())
    channels = await keeping.channels(site.house.store)
    first = next(one.id for one in channels if one.target == "courses@example.org")
    page = await visitor.open("/pages/partner/notices")
    await visitor.send(page.form(f"{first}/removal"))
    over = "This link does not count any more."
    assert over in (await site.visitor().open(link)).text
    assert over not in (await site.visitor().open(others)).text


async def test_the_secret_is_shown_once_and_stored_sealed(site: Site):
    await agreed(site, "amal")
    async with hooked(site) as (_, _, secret, visitor):
        assert secret not in (await visitor.open("/pages/partner/notices")).text
        (channel,) = await keeping.channels(site.house.store)
        assert secret.encode() not in channel.secret


async def test_another_partners_notices_and_channels_do_not_exist(site: Site):
    await agreed(site, "amal")
    async with hooked(site) as (_, _, _, visitor):
        (channel,) = await keeping.channels(site.house.store, "vhs")
        form = (await visitor.open("/pages/partner/notices")).form("/removal")
    async with partner_of(site.house, "another") as other:
        await put(other, "other", partner="another")
    stranger = site.visitor()
    page = await stranger.sign_in(VHS.replace("vhs", "another"))
    form.fields["form"] = page.form("/sign-out").fields["form"]
    assert (await stranger.send(form)).status == 404
    assert [one.id for one in await keeping.channels(site.house.store)] == [channel.id]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("not an address", "a whole address"),
        ("http://example.org/x", "https://"),
        ("https://127.0.0.1/x", "open internet"),
        ("https://[::1]/x", "open internet"),
        ("https://169.254.169.254/latest", "open internet"),
        ("https://user:secret@example.org/", "a whole address"),
        ("https://1.1.1.1/\x01", "a whole address"),
        (f"https://1.1.1.1/{'x' * 3000}", "a whole address"),
        ("https://a..example/", "no such host"),
    ],
)
async def test_a_webhook_that_must_not_be_is_refused_beside_its_field(site: Site, target: str, sentence: str):
    await agreed(site, "amal")
    page = await register(await vhs(site), "webhook", target)
    assert page.status == 422
    assert sentence in page.text
    assert await keeping.channels(site.house.store) == []


async def test_every_address_of_a_name_is_looked_at_each_time_and_the_connection_goes_to_one_of_them():
    answers = [["93.184.215.14"], ["93.184.215.14", "10.0.0.1"], ["127.0.0.1"]]

    async def resolve(host: str, port: int) -> list[str]:
        return answers.pop(0)

    first = await place_of("https://example.org/hook?x=1", private=False, resolve=resolve)
    assert (first.url, first.host_header) == ("https://93.184.215.14:443/hook?x=1", "example.org")
    for _ in range(2):  # the name means something else a moment later
        with pytest.raises(AddressForbidden):
            await place_of("https://example.org/hook", private=False, resolve=resolve)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.1.1", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fec0::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)  # fmt: skip
async def test_no_address_of_a_private_network_is_public_however_it_is_written(address: str):
    assert not is_public(address)


async def test_addresses_of_the_open_internet_are_public():
    assert all(map(is_public, ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14")))


async def test_a_notice_is_deleted_when_it_is_old_and_one_that_is_yet_to_be_sent_is_not(site: Site):
    store, day = site.house.store, 86_400_000
    now = keeping.machine_ms()
    old = keeping.Notice("c/r/1", "c", "vhs", "webhook", "referral.accepted", "r", "{}", now - 91 * day, "sent")
    await keeping.write(store, keeping.put_notice(COUNTY, old))
    await keeping.write(store, keeping.put_notice(COUNTY, replace(old, id="c/r/2", made=now - 89 * day)))
    await keeping.write(store, keeping.put_notice(COUNTY, replace(old, id="c/r/3", state="waiting", due=now + day)))
    async with post(site) as office:
        await office.turn(store)
    assert {one.id for one in await keeping.notices(store, "vhs", 10)} == {"c/r/2", "c/r/3"}


async def test_a_look_that_goes_on_while_a_channel_is_removed_leaves_no_link_behind(site: Site):
    await agreed(site, "amal")
    await register(await vhs(site), "mail", "courses@example.org")
    store = site.house.store
    (channel,) = await keeping.channels(store)
    await keeping.write(store, keeping.drop_channel(COUNTY, channel.id))
    await keeping.forget(store, channel.id)  # removed, while the look still holds the channel
    async with post(site) as office:
        await office._watching._look(store, channel)
    raw = site.house.running.database.raw
    assert (await raw["links"].count_documents({}), await raw["followed"].count_documents({})) == (0, 0)
