"""What all pages have in common: who is let in, which forms are read, what a browser may load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import pytest
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.local_issuer import LocalIssuerRefused
from services.runtime.pages import PAGE_MESSAGES, Pages, SampleUser, Visitor, common_routes, not_found_route, page_for
from services.runtime.pages.session import LONGEST_SECONDS, Session, Sessions
from services.runtime.seals import Seal, SealBroken, Seals
from services.runtime.security import LocalIssuer
from services.runtime.settings import Settings
from services.runtime.settings_problems import BadSettings
from tests.pages.visitor import LOCAL_SIGN_IN
from tests.pages.visitor import Visitor as Somebody
from tests.runtime.small_app import COUNTY, SmallService

Clerk = Annotated[Visitor, Depends(page_for("clerk"))]

CLERK = SampleUser("clerk-1", "clerk", "page.sign-in-who", COUNTY)
OTHER = SampleUser("other-1", "reader", "page.sign-in-who", COUNTY)


class Desk:
    """A service with one page of its own, which writes down what its form brought."""

    def __init__(self, folder: Path) -> None:
        templates = folder / "templates"
        templates.mkdir()
        (templates / "desk.html").write_text(
            '{% extends "base.html" %}{% from "forms.html" import own %}{% block title %}Desk{% endblock %}'
            '{% block content %}<p>{{ word }}</p><form method="post" action="/pages/desk">{{ own(secret) }}'
            '<input name="word" value="{{ word }}"></form>{% endblock %}'
        )
        self.small = SmallService(folder)
        self.heard: list[tuple[str, str]] = []
        self.pages = pages = Pages(self.small.settings, Catalogue(RUNTIME_MESSAGES, PAGE_MESSAGES), templates)
        router = pages.router()

        @router.get("/pages/desk")
        async def desk(visitor: Clerk, word: str = "") -> Response:
            return pages.show(visitor, "desk.html", word=word)

        @router.post("/pages/desk")
        async def hear(visitor: Clerk) -> Response:
            form = await visitor.form()
            if form.one("word") == "boom":
                raise RuntimeError("a private matter")
            self.heard.append((form.key, form.one("word")))
            return pages.go(visitor, "/pages/desk")

        async def people() -> list[SampleUser]:
            return [CLERK, OTHER]

        common = common_routes(pages, "/pages/desk", people)
        self.app = self.small.app(routers=[common, router, not_found_route(pages)])

    def somebody(self, language: str = "en") -> Somebody:
        return Somebody(self.app, language)

    async def clerk(self) -> Somebody:
        visitor = self.somebody()
        await visitor.sign_in(CLERK.id)
        return visitor


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_whoever_is_not_signed_in_is_led_to_the_sign_in_and_back_to_the_page(desk: Desk):
    visitor = desk.somebody()
    asked = await visitor.open("/pages/desk?word=a%20word")
    assert asked.path == LOCAL_SIGN_IN
    shown = await visitor.send((await visitor.send(asked.form("/language"), language="de")).form("/authorize"))
    assert (shown.path, shown.answer.url.query) == ("/pages/desk", b"word=a%20word")


async def test_a_page_is_shown_only_to_its_roles_and_the_refusal_is_a_page_too(desk: Desk):
    visitor = desk.somebody()
    page = await visitor.sign_in(OTHER.id)
    assert (page.status, page.answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "You are not allowed to do this." in page.text


async def test_after_signing_out_the_page_is_closed(desk: Desk):
    visitor = await desk.clerk()
    out = await visitor.send((await visitor.open("/pages/desk")).form("/sign-out"))
    assert "You are signed out." in out.text
    assert (await visitor.open("/pages/desk")).path == LOCAL_SIGN_IN
    assert "You are signed out." not in (await visitor.open("/pages/desk")).text


async def test_a_form_of_another_session_or_of_another_site_is_not_read(desk: Desk):
    visitor, other = await desk.clerk(), await desk.clerk()
    theirs = (await other.open("/pages/desk")).form("/desk")
    assert (await visitor.send(theirs, word="x")).status == 403
    own = (await visitor.open("/pages/desk")).form("/desk")
    visitor.client.headers["sec-fetch-site"] = "cross-site"
    assert (await visitor.send(own, word="x")).status == 403
    visitor.client.headers["sec-fetch-site"] = "same-origin"
    assert (await visitor.send(own, word="x")).status == 200
    assert [word for _, word in desk.heard] == ["x"]


async def test_each_form_has_a_key_of_its_own_which_stays_when_it_is_sent_again(desk: Desk):
    visitor = await desk.clerk()
    first = (await visitor.open("/pages/desk")).form("/desk")
    second = (await visitor.open("/pages/desk")).form("/desk")
    for form in (first, first, second):
        await visitor.send(form, word="x")
    (one, again, another) = [key for key, _ in desk.heard]
    assert one == again != another


async def test_what_a_page_fills_in_is_text_and_nothing_else(desk: Desk):
    visitor = await desk.clerk()
    page = await visitor.open("/pages/desk?word=<script>alert(1)</script>")
    assert "<script>alert" not in page.answer.text
    assert "&lt;script&gt;" in page.answer.text


async def test_a_browser_loads_nothing_from_elsewhere_and_runs_no_script_that_stands_in_a_page(desk: Desk):
    page = await (await desk.clerk()).open("/pages/desk")
    policy = page.answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.answer.headers["cache-control"] == "no-store"
    assert "://" not in page.answer.text.replace("http://www.w3.org", "")


async def test_assets_are_kept_for_good_under_an_address_of_their_content(desk: Desk):
    visitor = desk.somebody()
    page = await visitor.open("/pages/sign-in")
    addresses = [part.split('"')[0] for part in page.answer.text.split('="/pages/assets/')[1:]]
    assert len(addresses) == 3
    for name in addresses:
        answer = await visitor.client.get(f"/pages/assets/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    style = (await visitor.client.get(f"/pages/assets/{addresses[1]}")).text
    assert "{{" not in style
    font = style.split('url("')[1].split('"')[0]
    assert (await visitor.client.get(font)).headers["content-type"] == "font/woff2"
    assert (await visitor.client.get("/pages/assets/kern.css")).status_code == 404


async def test_what_is_not_there_and_what_nobody_foresaw_are_pages_that_keep_their_secrets(desk: Desk):
    visitor = await desk.clerk()
    missing = await visitor.open("/pages/nothing/here")
    assert (missing.status, "There is no such thing here." in missing.text) == (404, True)
    failed = await visitor.send((await visitor.open("/pages/desk")).form("/desk"), word="boom")
    assert failed.status == 500
    assert "private" not in failed.answer.text


async def test_the_language_is_the_browsers_until_the_visitor_chooses_one(desk: Desk):
    visitor = desk.somebody("de-DE,de;q=0.9")
    page = await visitor.open("/pages/sign-in")
    assert "Zum Inhalt springen" in page.text
    english = await visitor.send(page.form("/language"), language="en")
    assert "Skip to the content" in english.text
    assert "Skip to the content" in (await visitor.open("/pages/sign-in")).text


@pytest.mark.parametrize(
    "back",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/pages//elsewhere",
        "/v1/x",
        "\\\\x",
        "/pages/sign-in",
        "/pages/sign-out\\n",
    ],
)
async def test_a_sign_in_leads_nowhere_but_to_a_page_of_ours(desk: Desk, back: str):
    visitor = desk.somebody()
    page = await visitor.send((await visitor.open(f"/pages/sign-in?{urlencode({'back': back})}")).form("/authorize"))
    assert page.path == "/pages/desk"


def test_a_session_opens_with_its_key_alone_and_not_after_its_time():
    now = [1000.0]
    sessions = Sessions(Seal(b"a" * 32), secure=False, now=lambda: now[0])
    others = Sessions(Seal(b"b" * 32), secure=False, now=lambda: now[0])
    response = Response()
    sessions.keep(response, Session(form="f", until=1000 + LONGEST_SECONDS, token="t"))
    cookie = response.headers["set-cookie"].split(";")[0]
    assert sessions.of(_asking(cookie)).token == "t"
    assert others.of(_asking(cookie)).token == ""
    assert sessions.of(_asking(cookie[:-3] + "AAA")).token == ""
    now[0] += LONGEST_SECONDS
    assert sessions.of(_asking(cookie)).token == ""


def _asking(cookie: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})


def test_a_seal_opens_for_its_use_and_owner_alone(tmp_path: Path):
    seals = Seals(Settings(service="small", local_issuer_key_file=tmp_path / "issuer.jwk"))
    sealed = seals.of("one").close(b"secret", "owner")
    assert seals.of("one").open(sealed, "owner") == b"secret"
    for use, owner in (("one", "other"), ("two", "owner")):
        with pytest.raises(SealBroken):
            seals.of(use).open(sealed, owner)


def test_in_production_pages_need_a_key_and_have_no_made_up_people(tmp_path: Path):
    production = Settings.model_construct(
        service="small", profile="production", sealing_key=None, local_issuer_key_file=tmp_path / "issuer.jwk"
    )
    with pytest.raises(BadSettings, match="WEGENETZ_SEALING_KEY"):
        Seals(production)
    with pytest.raises(LocalIssuerRefused):
        LocalIssuer(production)
