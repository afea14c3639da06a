"""Which tokens count. A forger learns nothing, and keys can be changed while everything runs."""

from __future__ import annotations

import base64
import hmac
import json
import os
import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from services.runtime import tokens
from services.runtime.local_issuer import LocalIssuer, LocalIssuerRefused
from services.runtime.problems import Problem
from services.runtime.security import verifier_of
from services.runtime.settings import Settings
from services.runtime.tokens import Actor, PublicKey, PublishedKeys, TokenVerifier, fetched_from, signing_keys

COUNTY = "03459"
NOW = 1_470_000_000.0
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
CLAIMS: dict[str, Any] = {
    "iss": "issuer",
    "aud": "wegenetz",
    "sub": "c-17",
    "role": "clerk",
    "county": COUNTY,
    "iat": int(NOW) - 5,
    "exp": int(NOW) + 600,
}


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class KnownKeys:
    """The keys of the issuer; counts how often it is asked."""

    def __init__(self, *keys: PublicKey) -> None:
        self.keys = signing_keys({"keys": [key.as_dict(private=False) for key in keys]})
        self.asked = 0

    async def find(self, key_id: str) -> PublicKey | None:
        self.asked += 1
        return self.keys.get(key_id)


def verifier(keys: KnownKeys | PublishedKeys | None = None, now: Callable[[], float] = lambda: NOW) -> TokenVerifier:
    return TokenVerifier(keys or KnownKeys(RSA, EC), issuer="issuer", audience="wegenetz", counties=[COUNTY], now=now)


def token(key: RSAKey | ECKey = EC, alg: str = "ES256", kid: str | None = None, **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode({"alg": alg, "kid": kid or str(key.kid)}, claims, key, algorithms=[alg])


def raw(header: object, payload: object, signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


async def refusal(text: str, by: TokenVerifier | None = None) -> tuple[int, str]:
    with pytest.raises(Problem) as refused:
        await (by or verifier()).verify(text)
    return refused.value.status_code, refused.value.code


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256")])
async def test_a_token_of_the_issuer_counts(key: RSAKey | ECKey, alg: str) -> None:
    assert await verifier().verify(token(key, alg)) == Actor("c-17", "clerk", COUNTY)


async def test_an_audience_may_be_one_of_several() -> None:
    assert await verifier().verify(token(aud=["something-else", "wegenetz"]))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another-issuer"},
        {"iss": None},
        {"aud": "another-system"},
        {"aud": []},
        {"aud": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"iat": None},
        {"iat": int(NOW) + 3600},
        {"nbf": int(NOW) + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": "line\nbreak"},
        {"sub": 17},
        {"role": None},
        {"role": ["clerk"]},
        {"role": "Clerk; drop"},
        {"county": None},
        {"county": "3459"},
        {"county": "٠٣٤٥٩"},
        {"county": 3459},
        {"office": {"$ne": 1}},
        {"organisation": "x" * 201},
    ],
    ids=lambda changes: "-".join(f"{name}={value}"[:24] for name, value in changes.items()),
)
async def test_a_signed_token_with_other_claims_does_not_count(changes: dict[str, Any]) -> None:
    assert await refusal(token(**changes)) == (401, "token-invalid")


async def test_a_token_of_a_county_that_is_not_served_is_told_so() -> None:
    assert await refusal(token(county="03456")) == (403, "county-not-served")


async def test_an_expired_token_asks_for_a_new_sign_in() -> None:
    assert await refusal(token(exp=int(NOW) - tokens.LEEWAY_SECONDS)) == (401, "token-expired")


async def test_clocks_may_be_a_little_apart() -> None:
    assert await verifier().verify(token(exp=int(NOW) - tokens.LEEWAY_SECONDS + 1))
    assert await verifier().verify(token(iat=int(NOW) + tokens.LEEWAY_SECONDS))


async def test_a_token_without_signature_does_not_count() -> None:
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        assert await refusal(raw({"alg": algorithm, "kid": "ec"}, CLAIMS)) == (401, "token-invalid")


def _public_forms(key: RSAKey | ECKey) -> list[bytes]:
    public = key.as_dict(private=False)
    return [key.as_pem(private=False), key.as_der(private=False), json.dumps(public).encode(), str(public).encode()]


@pytest.mark.parametrize("key", [RSA, EC], ids=["rsa", "ec"])
async def test_a_public_key_is_not_a_password(key: RSAKey | ECKey) -> None:
    for form in _public_forms(key):
        for algorithm in ("HS256", "HS384", "HS512"):
            signed = raw({"alg": algorithm, "kid": key.kid}, CLAIMS).rpartition(".")[0]
            password = hmac.new(form, signed.encode(), f"sha{algorithm[2:]}").digest()
            forged = f"{signed}.{base64.urlsafe_b64encode(password).decode().rstrip('=')}"
            assert await refusal(forged) == (401, "token-invalid")


@pytest.mark.parametrize(
    "other",
    [
        (RSA, "RS384"),
        (RSA, "RS512"),
        (RSA, "PS256"),
        (ECKey.generate_key("P-384", {"kid": "ec"}), "ES384"),
        (OKPKey.generate_key("Ed25519", {"kid": "ec"}), "Ed25519"),
    ],
    ids=lambda pair: pair[1],
)
async def test_only_the_algorithm_that_belongs_to_the_key_counts(other: tuple[Any, str]) -> None:
    key, algorithm = other
    assert await refusal(token(key, algorithm)) == (401, "token-invalid")


async def test_an_algorithm_of_the_other_kind_of_key_does_not_count() -> None:
    signature = token(RSA, "RS256").rpartition(".")[2]
    crossed = raw({"alg": "RS256", "kid": "ec"}, CLAIMS, base64.urlsafe_b64decode(signature + "=="))
    assert await refusal(crossed) == (401, "token-invalid")


async def test_a_stranger_s_key_does_not_count_under_a_known_name() -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "ec"})
    assert await refusal(token(stranger)) == (401, "token-invalid")


async def test_a_token_cannot_bring_its_own_key() -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "mine"})
    header = {"alg": "ES256", "kid": "mine", "jwk": stranger.as_dict(private=False), "jku": "https://evil.example/keys"}
    forged = jwt.encode(header, dict(CLAIMS), stranger)
    assert await refusal(forged) == (401, "token-invalid")


async def test_a_token_that_names_no_key_does_not_count() -> None:
    unnamed = jwt.encode({"alg": "ES256"}, dict(CLAIMS), EC)
    assert await refusal(unnamed, verifier(KnownKeys(EC))) == (401, "token-invalid")


async def test_a_critical_header_that_we_do_not_know_is_not_passed_over() -> None:
    parts = token().split(".")
    header = json.loads(base64.urlsafe_b64decode(parts[0] + "==")) | {"crit": ["must-know"], "must-know": 1}
    forged = raw(header, CLAIMS)
    assert await refusal(forged) == (401, "token-invalid")


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, 10_000), replacement=st.sampled_from("AZaz09-_.="))
async def test_a_changed_token_counts_only_if_its_bytes_are_the_same(position: int, replacement: str) -> None:
    genuine = token()
    position %= len(genuine)
    changed = genuine[:position] + replacement + genuine[position + 1 :]
    if _same_bytes(changed, genuine):
        assert await verifier().verify(changed) == Actor("c-17", "clerk", COUNTY)
    else:
        assert await refusal(changed) == (401, "token-invalid")


def _same_bytes(one: str, other: str) -> bool:
    """Base64 has spare bits at the end of a signature, and padding nobody asks for: the bytes may be those that were signed."""
    (*signed, signature), (*other_signed, other_signature) = one.split("."), other.split(".")
    try:
        return signed == other_signed and urlsafe_b64decode(signature.encode()) == urlsafe_b64decode(
            other_signature.encode()
        )
    except ValueError:
        return False


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=300), st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}", fullmatch=True)))
async def test_anything_else_is_refused_and_never_an_error_of_ours(text: str) -> None:
    assert await refusal(text) == (401, "token-invalid")


@settings(max_examples=100, deadline=None)
@given(
    header=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["alg", "kid", "b64", "crit", "typ"]), inner)
        ),
        max_leaves=6,
    ),
    payload=st.none() | st.integers() | st.lists(st.integers(), max_size=2) | st.just(CLAIMS),
)
async def test_strange_headers_are_refused_and_never_an_error_of_ours(header: object, payload: object) -> None:
    assert await refusal(raw(header, payload, b"x" * 64)) == (401, "token-invalid")


async def test_a_huge_token_is_refused_unread() -> None:
    assert await refusal(token(organisation="x" * 9000)) == (401, "token-invalid")


async def test_a_token_is_checked_once_and_remembered_until_it_expires() -> None:
    hand, keys = Hand(), KnownKeys(EC)
    door, text = verifier(keys, hand), token(exp=int(NOW) + 100)

    for _ in range(5):
        assert (await door.verify(text)).subject == "c-17"
    assert keys.asked == 1

    hand.now += 100 + tokens.LEEWAY_SECONDS
    assert await refusal(text, door) == (401, "token-expired")


async def test_a_remembered_token_is_checked_again_so_that_a_withdrawn_key_stops_counting() -> None:
    hand, keys = Hand(), KnownKeys(EC)
    door, text = verifier(keys, hand), token()
    await door.verify(text)
    keys.keys.clear()

    hand.now += tokens.REMEMBERED_SECONDS - 1
    assert await door.verify(text)
    hand.now += 1
    assert await refusal(text, door) == (401, "token-invalid")


async def test_a_refused_token_is_not_remembered_as_good_nor_as_bad() -> None:
    keys = KnownKeys(RSA)
    door, text = verifier(keys), token()
    assert await refusal(text, door) == (401, "token-invalid")
    keys.keys.update(KnownKeys(EC).keys)
    assert await door.verify(text)


async def test_memory_for_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REMEMBERED_TOKENS", 3)
    door = verifier()
    for number in range(10):
        await door.verify(token(sub=f"c-{number}"))
    assert len(door._remembered) == 3


class Issuer:
    """A sign-in service: publishes keys, is sometimes away, and counts who asks."""

    def __init__(self, *keys: PublicKey) -> None:
        self.keys: Sequence[PublicKey] = keys
        self.away = False
        self.answer: httpx.Response | None = None
        self.asked = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.away:
            raise httpx.ConnectError("nobody there")
        return self.answer or httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})

    def published(self, hand: Hand) -> PublishedKeys:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
        return PublishedKeys(fetched_from("https://sign-in.example/keys", client), monotonic=hand)


async def test_keys_are_fetched_once_for_many_tokens() -> None:
    issuer, hand = Issuer(EC, RSA), Hand()
    door = verifier(issuer.published(hand))
    for number in range(10):
        await door.verify(token(sub=f"c-{number}"))
    assert issuer.asked == 1


async def test_a_new_key_counts_at_once_and_a_removed_one_no_more() -> None:
    issuer, hand = Issuer(EC), Hand()
    keys = issuer.published(hand)
    assert await keys.find("ec")
    issuer.keys = [RSA]
    hand.now += tokens.REFETCH_SECONDS

    assert await keys.find("rsa")
    assert await keys.find("ec") is None


async def test_made_up_key_names_do_not_flood_the_issuer() -> None:
    issuer, hand = Issuer(EC), Hand()
    keys = issuer.published(hand)
    for number in range(100):
        assert await keys.find(f"made-up-{number}") is None
    assert issuer.asked == 1


async def test_known_keys_go_on_counting_for_a_day_while_the_issuer_is_away() -> None:
    issuer, hand = Issuer(EC), Hand()
    keys = issuer.published(hand)
    await keys.find("ec")
    issuer.away = True

    hand.now += tokens.STALE_SECONDS - 1
    assert await keys.find("ec")
    hand.now += 1
    with pytest.raises(Problem) as refused:
        await keys.find("ec")
    assert (refused.value.status_code, refused.value.code) == (503, "keys-unavailable")

    issuer.away = False
    hand.now += tokens.REFETCH_SECONDS
    assert await keys.find("ec")


async def test_while_the_issuer_is_away_an_unknown_key_is_nobody_s_fault() -> None:
    issuer, hand = Issuer(EC), Hand()
    issuer.away = True
    assert await refusal(token(), verifier(issuer.published(hand))) == (503, "keys-unavailable")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://evil.example/keys"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=["keys"]),
        httpx.Response(200, json={"keys": []}),
        httpx.Response(200, content=b" " * (tokens.LARGEST_KEY_SET + 1)),
    ],
    ids=["failure", "redirect", "page", "list", "no keys", "too large"],
)
async def test_an_issuer_that_answers_something_else_counts_as_away(answer: httpx.Response) -> None:
    issuer, hand = Issuer(EC), Hand()
    issuer.answer = answer
    assert await refusal(token(), verifier(issuer.published(hand))) == (503, "keys-unavailable")


@pytest.mark.filterwarnings("ignore:Key size")
def test_of_a_key_set_only_signing_keys_of_our_two_kinds_are_taken() -> None:
    others: list[Any] = [
        RSAKey.generate_key(1024, {"kid": "small"}).as_dict(private=False),
        ECKey.generate_key("P-384", {"kid": "other-curve"}).as_dict(private=False),
        OctKey.generate_key(256, {"kid": "password"}).as_dict(private=True),
        RSA.as_dict(private=False) | {"kid": "for-encryption", "use": "enc"},
        RSA.as_dict(private=False) | {"kid": "other-algorithm", "alg": "RS512"},
        EC.as_dict(private=False) | {"kid": "only-signs", "key_ops": ["sign"]},
        {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "?", "y": "?"},
        {"kty": "future", "kid": "future"},
        {name: value for name, value in EC.as_dict(private=False).items() if name != "kid"},
        "no key at all",
    ]
    assert set(signing_keys({"keys": [*others, EC.as_dict(private=False), RSA.as_dict(private=False)]})) == {
        "ec",
        "rsa",
    }


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    return Settings(service="small", local_issuer_key_file=tmp_path / "keys" / "issuer.jwk")


async def test_a_local_token_counts_on_its_own_machine_and_nowhere_else(embedded: Settings, tmp_path: Path) -> None:
    elsewhere = Settings(service="small", local_issuer_key_file=tmp_path / "elsewhere.jwk")
    text = LocalIssuer(embedded).token("c-17", "clerk", COUNTY, office="034590003")

    async with httpx.AsyncClient() as client:
        assert await verifier_of(embedded, client).verify(text) == Actor("c-17", "clerk", COUNTY, office="034590003")
        assert await refusal(text, verifier_of(elsewhere, client)) == (401, "token-invalid")


async def test_a_local_token_lives_as_long_as_it_was_given(embedded: Settings) -> None:
    hand = Hand()
    issuer = LocalIssuer(embedded, now=hand)
    door = TokenVerifier(issuer, issuer=embedded.issuer, audience=embedded.audience, counties=[COUNTY], now=hand)
    text = issuer.token("c-17", "clerk", COUNTY, ttl=60)
    assert await door.verify(text)
    hand.now += 60 + tokens.LEEWAY_SECONDS
    assert await refusal(text, door) == (401, "token-expired")


async def test_the_local_key_is_kept_and_is_its_owner_s_alone(embedded: Settings) -> None:
    text = LocalIssuer(embedded).token("c-17", "clerk", COUNTY)
    file = embedded.local_issuer_key_file
    assert file is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == [file.name], "no draft of the key is left"
    async with httpx.AsyncClient() as client:
        assert await verifier_of(embedded, client).verify(text), "a later start reads the same key"


def test_a_local_key_that_others_can_read_is_refused(embedded: Settings) -> None:
    LocalIssuer(embedded)
    assert embedded.local_issuer_key_file is not None
    os.chmod(embedded.local_issuer_key_file, 0o644)
    with pytest.raises(LocalIssuerRefused, match="Others may read"):
        LocalIssuer(embedded)


def test_a_local_key_file_that_holds_no_key_is_refused(embedded: Settings) -> None:
    file = embedded.local_issuer_key_file
    assert file is not None
    file.parent.mkdir()
    file.write_text('{"kty": "EC"}')
    file.chmod(0o600)
    with pytest.raises(LocalIssuerRefused, match="holds no key"):
        LocalIssuer(embedded)


def test_processes_that_start_together_agree_on_one_key(embedded: Settings) -> None:
    gate, ids = threading.Barrier(8), list[str]()

    def start() -> None:
        gate.wait()
        ids.append(LocalIssuer(embedded)._key_id)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1


def test_there_is_no_local_issuer_in_production(embedded: Settings) -> None:
    production = embedded.model_copy(update={"profile": "production"})
    with pytest.raises(LocalIssuerRefused, match="In production"):
        LocalIssuer(production)


def test_without_any_issuer_nothing_can_be_verified() -> None:
    with pytest.raises(LocalIssuerRefused, match="WEGENETZ_LOCAL_ISSUER_KEY_FILE"):
        verifier_of(Settings(service="small"), httpx.AsyncClient())


def test_an_actor_is_shown_without_the_name_it_signed_in_with() -> None:
    assert "erika.mustermann" not in repr(Actor("erika.mustermann", "clerk", COUNTY))
