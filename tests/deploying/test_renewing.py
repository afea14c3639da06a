"""A service's tokens are kept fresh: fetched for each county, written whole, and left where the sign-in service is away."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from deploy.renewing import renew


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    for name in ("secrets", "tokens"):
        (tmp_path / name).mkdir()
    for county in ("03459", "03460"):
        (tmp_path / "secrets" / county).write_text(f"secret of {county}\n", encoding="ascii")
    return {
        "WEGENETZ_SERVICE": "referral",
        "WEGENETZ_COUNTIES": '["03459", "03460"]',
        "WEGENETZ_SERVICE_TOKENS_DIR": str(tmp_path / "tokens"),
        "RENEW_SECRETS_DIR": str(tmp_path / "secrets"),
        "RENEW_TOKEN_URL": "https://sign-in.example.org/token",
    }


def signing_in(request: httpx.Request) -> httpx.Response:
    asked = {name: value for name, (value,) in parse_qs(request.content.decode()).items()}
    assert asked["grant_type"] == "client_credentials"
    county = asked["client_id"].removeprefix("wegenetz-referral-")
    if asked["client_secret"] != f"secret of {county}":
        return httpx.Response(401, json={"error": "unauthorized_client"})
    return httpx.Response(200, json={"access_token": f"token of {county}"})


def test_each_county_gets_the_token_of_its_own_client(environment: dict[str, str], tmp_path: Path) -> None:
    with httpx.Client(transport=httpx.MockTransport(signing_in)) as client:
        assert renew(environment, client) == []
    written = {file.name: file.read_text() for file in (tmp_path / "tokens").iterdir()}
    assert written == {"03459": "token of 03459", "03460": "token of 03460"}


def test_a_token_that_cannot_be_renewed_stays_and_the_others_are(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "tokens/03459").write_text("the last one")
    (tmp_path / "secrets/03459").write_text("a wrong one")
    with httpx.Client(transport=httpx.MockTransport(signing_in)) as client:
        (problem,) = renew(environment, client)
    assert problem == "The sign-in service refuses the client wegenetz-referral-03459: status 401."
    assert (tmp_path / "tokens/03459").read_text() == "the last one"
    assert (tmp_path / "tokens/03460").read_text() == "token of 03460"


def test_whatever_is_away_is_told_without_a_secret(environment: dict[str, str], tmp_path: Path) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("secret of 03459")

    (tmp_path / "secrets/03460").unlink()
    with httpx.Client(transport=httpx.MockTransport(away)) as client:
        problems = renew(environment, client)
    assert len(problems) == 2
    assert "secret of" not in " ".join(problems)
