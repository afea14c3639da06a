"""The sign-in of one machine is an OpenID Connect provider: whatever a county's would refuse, it refuses too."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.runtime.pages.local_sign_in import GOOD_FOR, LocalSignIn, SampleUser
from services.runtime.pages.openid import challenge
from services.runtime.tokens import signing_keys
from tests.pages.visitor import LOCAL_SIGN_IN, Page
from tests.runtime.small_app import COUNTY
from tests.runtime.test_pages import CLERK, Desk

VERIFIER = "v" * 43
ASKED = {
    "response_type": "code",
    "client_id": "wegenetz-pages",
    "redirect_uri": "/pages/sign-in/return",
    "scope": "openid",
    "state": "s",
    "nonce": "n",
    "code_challenge": challenge(VERIFIER),
    "code_challenge_method": "S256",
}
SENT = {
    "grant_type": "authorization_code",
    "client_id": "wegenetz-pages",
    "redirect_uri": "/pages/sign-in/return",
    "code_verifier": VERIFIER,
}
TOKEN = "/pages/local-sign-in/token"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def code_of(client: httpx.AsyncClient, **chosen: str) -> dict[str, list[str]]:
    """What the browser comes back with."""
    page = Page(await client.get(LOCAL_SIGN_IN, params=ASKED))
    sent = {**page.form("/authorize").fields, "person": CLERK.id, **chosen}
    answer = await client.post(LOCAL_SIGN_IN, data=sent, follow_redirects=False)
    parts = urlsplit(answer.headers["location"])
    assert (parts.netloc, parts.path) == ("", "/pages/sign-in/return")
    return parse_qs(parts.query)


async def test_it_describes_itself_and_its_tokens_are_those_of_its_published_key(desk: Desk) -> None:
    client = desk.somebody().client
    described = (await client.get("/pages/local-sign-in/.well-known/openid-configuration")).json()
    back = await code_of(client)
    tokens = (await client.post(described["token_endpoint"], data={**SENT, "code": back["code"][0]})).json()
    assert back["iss"] == [described["issuer"]]
    verifier = desk.app.state.verifier
    identity = await verifier.claims(tokens["id_token"], "wegenetz-pages")
    assert (identity["sub"], identity["nonce"]) == ("clerk-1", "n")
    actor = await verifier.verify(tokens["access_token"])
    assert (actor.role, actor.county) == ("clerk", COUNTY)
    published = signing_keys((await client.get(described["jwks_uri"])).json())
    assert len(published) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": "/pages/elsewhere"},
        {"client_id": "another"},
        {"code": "guessed"},
        {"grant_type": "password"},
    ],
)
async def test_a_code_is_exchanged_only_by_whoever_asked_for_it(desk: Desk, wrong: dict[str, str]) -> None:
    client = desk.somebody().client
    code = (await code_of(client))["code"][0]
    answer = await client.post(TOKEN, data={**SENT, "code": code, **wrong})
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


async def test_a_code_is_exchanged_once(desk: Desk) -> None:
    client = desk.somebody().client
    sent = {**SENT, "code": (await code_of(client))["code"][0]}
    assert [(await client.post(TOKEN, data=sent)).status_code for _ in range(2)] == [200, 400]


def test_a_code_ends_with_its_time(desk: Desk) -> None:
    now = [0.0]
    provider = LocalSignIn(desk.pages, lambda: now[0])
    person = SampleUser("clerk-1", "clerk", "page.sign-in-who", COUNTY)
    code = parse_qs(urlsplit(provider.back(provider.request_of(ASKED), person)).query)["code"][0]
    now[0] = GOOD_FOR
    assert provider.exchanged({**SENT, "code": code}).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "//evil.example/pages/sign-in/return"},
        {"client_id": "another"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"nonce": ""},
        {"state": ""},
    ],
)
async def test_it_leads_back_to_these_pages_alone_and_asks_for_what_makes_a_sign_in_safe(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    answer = await desk.somebody().client.get(LOCAL_SIGN_IN, params={**ASKED, **wrong}, follow_redirects=False)
    assert answer.status_code == 400


async def test_whoever_does_not_want_to_sign_in_is_led_back_and_told(desk: Desk) -> None:
    visitor = desk.somebody()
    assert (await code_of(visitor.client, leave="yes"))["error"] == ["access_denied"]
    page = await visitor.open("/pages/desk")
    left = await visitor.send(page.form("/authorize"), leave="yes")
    assert (left.status, "You were not signed in." in left.text) == (403, True)
