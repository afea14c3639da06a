"""A service signs in at its peers for one county at a time, with a token that is good now."""

from __future__ import annotations

from pathlib import Path

from services.runtime.local_issuer import LocalIssuer
from services.runtime.service_tokens import SERVICE, service_tokens
from services.runtime.settings import Settings
from services.runtime.tokens import TokenVerifier

HERE, THERE = "03459", "03456"


def production(tokens: Path | None) -> Settings:
    return Settings.load(
        service="small",
        profile="production",
        instance="small-0",
        jwks_url="https://sign-in.example/keys",
        issuer="https://sign-in.example",
        service_tokens_dir=tokens,
    )


def test_in_production_each_county_has_a_token_of_its_own_and_a_renewed_one_is_used_at_once(tmp_path: Path) -> None:
    (tmp_path / HERE).write_text("first\n")
    (tmp_path / THERE).write_text("of another county")
    token = service_tokens(production(tmp_path))
    assert (token(HERE), token(THERE)) == ("first", "of another county")
    (tmp_path / HERE).write_text("renewed")
    assert token(HERE) == "renewed"


def test_a_token_that_is_not_there_is_none_and_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / THERE).write_text("of another county")
    (tmp_path / "00000").write_text("\n")
    token = service_tokens(production(tmp_path))
    assert (token(HERE), token("00000")) == (None, None)
    assert service_tokens(production(None))(HERE) is None


async def test_on_one_machine_the_local_issuer_signs_for_the_county_that_is_asked_about(tmp_path: Path) -> None:
    settings = Settings.load(service="small", counties=(HERE, THERE), local_issuer_key_file=tmp_path / "issuer.jwk")
    verifier = TokenVerifier(
        LocalIssuer(settings), issuer=settings.issuer, audience=settings.audience, counties=settings.counties
    )
    token = service_tokens(settings)(THERE)
    assert token is not None
    actor = await verifier.verify(token)
    assert (actor.role, actor.county, actor.subject) == (SERVICE, THERE, "service:small")
