"""Signing in at a county's sign-in service, in production, with a sign-in service on a port; and what attackers try with it."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI
from joserfc.jwk import ECKey
from starlette.requests import Request
from starlette.responses import Response

from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.pages import PAGE_MESSAGES, Pages, SampleUser, Visitor, common_routes, not_found_route, page_for
from services.runtime.pages.addresses import after_sign_in, ours
from services.runtime.pages.attempts import GOOD_FOR, MOST, Attempts
from services.runtime.pages.openid import OpenId
from services.runtime.pages.session import LONGEST_TOKEN
from services.runtime.seals import Seal
from services.runtime.security import verifier_of
from services.runtime.settings import Settings
from services.runtime.settings_problems import BadSettings
from services.runtime.web import build_app
from tests.pages.visitor import Page
from tests.pages.visitor import Visitor as Browser
from tests.runtime.issuer import Issuer, issuing

pytestmark = pytest.mark.asyncio(loop_scope="module")

OURS = "https://small.example.org"
DESK = "/pages/desk"
Clerk = Annotated[Visitor, Depends(page_for("clerk"))]


def production(issuer: str, **more: Any) -> Settings:
    told: dict[str, Any] = {
        "instance": "small-0",
        "issuer": issuer,
        "jwks_url": f"{issuer}/keys",
        "public_url": OURS,
        "sealing_key": base64.b64encode(bytes(32)).decode(),
        **more,
    }
    return Settings.load(service="small", profile="production", **told)


def small(settings: Settings, http: httpx.AsyncClient) -> FastAPI:
    """A service with one page, for clerks."""
    pages = Pages(settings, Catalogue(RUNTIME_MESSAGES, PAGE_MESSAGES))
    router = pages.router()

    @router.get(DESK)
    async def desk(visitor: Clerk) -> Response:
        return pages.show(visitor, "problem.html", title="The desk", detail=visitor.signed_in.subject)

    async def nobody() -> list[SampleUser]:
        raise AssertionError("there are no made-up people in production")

    return build_app(
        title="Small",
        version="1",
        settings=settings,
        verifier=verifier_of(settings, http),
        catalogue=Catalogue(RUNTIME_MESSAGES),
        health=Health(),
        metrics=Metrics(),
        routers=[common_routes(pages, DESK, nobody), router, not_found_route(pages)],
    )


class Desk:
    """The service, and browsers that reach it as well as the sign-in service."""

    def __init__(self, issuer: Issuer, app: FastAPI) -> None:
        self.issuer = issuer
        self.app = app

    def browser(self, language: str = "en") -> Browser:
        browser = Browser(self.app, language)
        browser.client = httpx.AsyncClient(
            base_url=OURS,
            mounts={"https://small.example.org": httpx.ASGITransport(self.app, raise_app_exceptions=False)},
            headers={"accept-language": language},
            follow_redirects=True,
            verify=False,  # noqa: S501 - the sign-in service of the tests is on this machine, without TLS
        )
        return browser

    async def begun(self, browser: Browser) -> str:
        """The address at which the sign-in service leads the browser back; not gone to yet."""
        asked = await browser.client.get("/pages/sign-in", follow_redirects=False)
        return (await browser.client.get(asked.headers["location"], follow_redirects=False)).headers["location"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[Desk]:
    async with issuing() as issuer, httpx.AsyncClient() as http:
        yield Desk(issuer, small(production(issuer.url), http))


@pytest.fixture
def desk(opened: Desk) -> Desk:
    opened.issuer.as_it_should_be()
    return opened


def not_signed_in(page: Page, title: str, status: int = 400) -> None:
    assert (page.status, title in page.text) == (status, True), page.text
    assert "Signed in:" not in page.text


async def test_the_page_that_was_asked_for_is_come_back_to_after_signing_in(desk: Desk) -> None:
    browser = desk.browser()
    page = await browser.open(f"{DESK}?cursor=abc&part=two")
    assert str(page.answer.url) == f"{OURS}{DESK}?cursor=abc&part=two"
    assert "c-17" in page.text
    (asked,) = desk.issuer.asked
    assert asked["redirect_uri"] == f"{OURS}/pages/sign-in/return"
    assert asked["client_id"] == "wegenetz-pages"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


async def test_the_session_is_sealed_bound_to_this_host_and_ends(desk: Desk) -> None:
    page = await desk.browser().open(DESK)
    cookies = [line for one in page.answer.history for line in one.headers.get_list("set-cookie")]
    session = next(line for line in cookies if line.startswith("__Host-wegenetz=") and "Max-Age=36000" in line)
    for part in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert all(part in line for line in cookies), part
    assert "eyJ" not in session
    assert "Max-Age=0" in next(line for line in reversed(cookies) if line.startswith("__Host-wegenetz-sign-in="))


async def test_a_return_with_another_state_is_not_taken_over(desk: Desk) -> None:
    browser, attacker = desk.browser(), desk.browser()
    await desk.begun(browser)
    theirs = await desk.begun(attacker)
    not_signed_in(await browser.open(theirs), "This sign-in was not begun here.")
    assert urlsplit(str((await browser.open(DESK)).answer.url)).path == DESK


async def test_a_link_with_somebody_elses_code_signs_nobody_in_who_has_begun_nothing(desk: Desk) -> None:
    not_signed_in(await desk.browser().open(await desk.begun(desk.browser())), "This sign-in has expired.")


async def test_a_code_is_good_for_the_browser_that_asked_for_it(desk: Desk) -> None:
    """The attacker's code with the victim's state: PKCE binds the code to whoever began."""
    browser, attacker = desk.browser(), desk.browser()
    own, theirs = [parse_qs(urlsplit(await desk.begun(one)).query) for one in (browser, attacker)]
    mixed = f"/pages/sign-in/return?state={own['state'][0]}&code={theirs['code'][0]}"
    not_signed_in(await browser.open(mixed), "This sign-in has expired.")


async def test_a_return_counts_once(desk: Desk) -> None:
    browser = desk.browser()
    back = await desk.begun(browser)
    assert "c-17" in (await browser.open(back)).text
    assert (await browser.open(back)).status == 400
    kept = desk.browser()
    begun = await desk.begun(kept)
    cookies = dict(kept.client.cookies)
    assert "c-17" in (await kept.open(begun)).text
    copied = desk.browser()
    copied.client.cookies.update(cookies)
    not_signed_in(await copied.open(begun), "This sign-in has expired.")


@pytest.mark.parametrize(
    ("wrong_id", "wrong_bearer"),
    [
        ({"nonce": "another"}, {}),
        ({"nonce": None}, {}),
        ({"aud": "another-client"}, {}),
        ({"iss": "https://elsewhere.example"}, {}),
        ({"exp": 1}, {}),
        ({"sub": "somebody-else"}, {}),
        ({}, {"aud": "another-service"}),
        ({}, {"aud": "wegenetz-pages"}),
        ({}, {"iss": "https://elsewhere.example"}),
        ({}, {"exp": 1}),
        ({}, {"role": "Not A Role"}),
        ({}, {"site": "s" * 100, "filler": "x" * LONGEST_TOKEN}),
    ],
)
async def test_what_is_not_meant_for_this_sign_in_signs_nobody_in(
    desk: Desk, wrong_id: dict[str, Any], wrong_bearer: dict[str, Any]
) -> None:
    desk.issuer.wrong_id, desk.issuer.wrong_bearer = wrong_id, wrong_bearer
    browser = desk.browser()
    not_signed_in(await browser.open(DESK), "The sign-in could not be confirmed.")


async def test_tokens_of_another_key_sign_nobody_in(desk: Desk) -> None:
    desk.issuer.signs_with = ECKey.generate_key("P-256")
    not_signed_in(await desk.browser().open(DESK), "The sign-in could not be confirmed.")


async def test_an_answer_of_another_issuer_is_not_taken(desk: Desk) -> None:
    desk.issuer.says = {"iss": "https://elsewhere.example"}
    not_signed_in(await desk.browser().open(DESK), "The sign-in could not be confirmed.")


@pytest.mark.parametrize(
    ("language", "title", "button"),
    [("en", "You were not signed in.", "Sign in"), ("de", "Sie wurden nicht angemeldet.", "Anmelden")],
)
async def test_a_refusal_is_told_without_the_sign_in_services_own_words(
    desk: Desk, language: str, title: str, button: str
) -> None:
    desk.issuer.says = {"error": "access_denied", "error_description": "<b>buy now</b>"}
    browser = desk.browser(language)
    page = await browser.open(DESK)
    not_signed_in(page, title, 403)
    assert "buy now" not in page.answer.text
    assert button in page.text
    desk.issuer.as_it_should_be()
    (again,) = re.findall(r'href="(/pages/sign-in\?back=[^"]+)"', page.answer.text)
    assert (await browser.open(again)).path == DESK


async def test_whoever_has_no_role_is_told_so_and_may_sign_in_as_somebody_else(desk: Desk) -> None:
    desk.issuer.person = {"sub": "c-18", "county": "03459"}
    browser = desk.browser()
    page = await browser.open(DESK)
    not_signed_in(page, "Your sign-in has no role in Wegenetz yet.", 403)
    before = desk.issuer.signed_out
    assert "You are signed out." in (await browser.send(page.form("/sign-out"))).text
    assert desk.issuer.signed_out == before + 1


async def test_a_county_that_is_not_served_is_told(desk: Desk) -> None:
    desk.issuer.person["county"] = "09999"
    not_signed_in(await desk.browser().open(DESK), "Your county is not kept here.", 403)


async def test_a_role_that_may_not_see_the_page_is_signed_in_and_told(desk: Desk) -> None:
    desk.issuer.person["role"] = "reporter"
    page = await desk.browser().open(DESK)
    assert (page.status, page.path) == (403, DESK)


async def test_signing_out_is_signing_out_at_the_sign_in_service_too(desk: Desk) -> None:
    browser = desk.browser()
    page = await browser.open(DESK)
    policy = page.answer.headers["content-security-policy"]
    assert f"form-action 'self' {desk.issuer.url};" in policy
    before = desk.issuer.signed_out
    out = await browser.send(page.form("/sign-out"))
    assert ("You are signed out." in out.text, out.path) == (True, "/pages/signed-out")
    assert desk.issuer.signed_out == before + 1
    asked = await browser.client.get(DESK, follow_redirects=False)
    assert asked.headers["location"].startswith("/pages/sign-in")


async def test_a_session_whose_token_has_expired_signs_in_anew_and_comes_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = desk.browser()
    await browser.open(DESK)
    verifier = desk.app.state.verifier
    monkeypatch.setattr(verifier, "_now", lambda real=verifier._now: real() + 700)
    verifier.forget()
    asked = await browser.client.get(DESK, follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/pages/sign-in?back=/pages/desk")
    monkeypatch.undo()
    desk.issuer.asked.clear()
    assert (await browser.open(asked.headers["location"])).path == DESK
    assert len(desk.issuer.asked) == 1


async def test_a_script_of_an_open_page_begins_no_sign_in(desk: Desk) -> None:
    for header in ({"hx-request": "true"}, {"sec-fetch-mode": "cors"}):
        answer = await desk.browser().client.get(DESK, headers=header, follow_redirects=False)
        assert answer.status_code == 401
        assert "__Host-wegenetz-sign-in" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/pages//evil",
        "javascript:alert(1)",
        "/pages/sign-in",
    ],
)
async def test_nobody_is_led_elsewhere_by_the_address_to_come_back_to(desk: Desk, back: str) -> None:
    page = Page(await desk.browser().client.get("/pages/sign-in", params={"back": back}))
    assert str(page.answer.url) == f"{OURS}{DESK}"
    assert ours(back, DESK) in (DESK, "/pages/sign-in")
    assert after_sign_in(back, DESK) == DESK


async def test_while_the_sign_in_service_is_away_that_is_said_and_signing_out_still_works() -> None:
    async with httpx.AsyncClient() as http:
        away = Desk(Issuer(), small(production("http://127.0.0.1:9"), http))
        for language, title in (
            ("en", "Signing in is not possible"),
            ("de", "Die Anmeldung ist zurzeit nicht möglich"),
        ):
            page = await away.browser(language).open(DESK)
            assert (page.status, title in page.text) == (503, True)
        browser = away.browser()
        form = (await browser.open("/pages/sign-in")).form("/language")
        out = Page(await browser.client.post("/pages/sign-out", data={"form": form.fields["form"]}))
        assert "Please close your browser" in out.text


async def test_a_sign_in_service_that_describes_itself_as_another_is_not_asked(desk: Desk) -> None:
    async with httpx.AsyncClient() as http:
        other = f"{desk.issuer.url}/realms/other"
        where = f"{desk.issuer.url}/.well-known/openid-configuration"
        mistaken = Desk(desk.issuer, small(production(other, discovery_url=where), http))
        assert (await mistaken.browser().open(DESK)).status == 503


async def test_attempts_are_few_and_end_with_their_time() -> None:
    now = [1000.0]
    attempts = Attempts(Seal(bytes(32)), secure=False, now=lambda: now[0])
    made = tuple(attempts.new(DESK + "?" + "q" * 400) for _ in range(MOST + 2))
    response = Response()
    attempts.keep(response, made)
    cookie = response.headers["set-cookie"].split(";")[0]
    assert len(cookie) < 4096
    asking = httpx.Request("GET", OURS, headers={"cookie": cookie})
    scope = {"type": "http", "headers": asking.headers.raw}
    assert attempts.of(Request(scope)) == made[-MOST:]
    now[0] += GOOD_FOR
    assert attempts.of(Request(scope)) == ()


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        ({"public_url": None}, "WEGENETZ_PUBLIC_URL"),
        ({"issuer": "county"}, "WEGENETZ_ISSUER"),
        ({"issuer": "http://sign-in.example"}, "WEGENETZ_ISSUER"),
    ],
)
async def test_in_production_pages_do_not_start_without_a_sign_in_service(told: dict[str, Any], missing: str) -> None:
    with pytest.raises(BadSettings, match=missing):
        OpenId(production(**{"issuer": "https://sign-in.example", "jwks_url": "https://sign-in.example/keys"} | told))
