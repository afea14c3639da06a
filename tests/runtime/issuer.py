"""A county's sign-in service on a port: OpenID Connect with everybody signed in already, and at a test's wish not as it should be."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from services.runtime.serving import Listener, serve
from tests.runtime.small_app import COUNTY

CLIENT = "wegenetz-pages"


@dataclass
class Issuer:
    """`person`: the claims of the bearer token. `wrong_id`, `wrong_bearer`: claims put in place of the right ones. `says`: what comes
    back in place of a code."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=dict[str, Any])
    wrong_id: dict[str, Any] = field(default_factory=dict[str, Any])
    wrong_bearer: dict[str, Any] = field(default_factory=dict[str, Any])
    says: dict[str, str] = field(default_factory=dict[str, str])
    signs_with: ECKey | None = None
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    signed_out: int = 0

    def __post_init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"})

    def as_it_should_be(self) -> None:
        self.person = {"sub": "c-17", "role": "clerk", "county": COUNTY}
        self.wrong_id, self.wrong_bearer, self.says, self.signs_with = {}, {}, {}, None
        self.asked.clear()

    def app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.get("/.well-known/openid-configuration")
        async def described() -> Response:
            ways = {name: f"{self.url}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
            return JSONResponse({"issuer": self.url, **ways, "end_session_endpoint": f"{self.url}/leave"})

        @app.get("/keys")
        async def keys() -> Response:
            return JSONResponse({"keys": [{**self._key.as_dict(private=False), "kid": "k"}]})

        @app.get("/authorization_endpoint")
        async def authorize(request: Request) -> Response:
            asked = dict(request.query_params)
            assert asked["code_challenge_method"] == "S256"
            assert asked["response_type"] == "code"
            self.asked.append(asked)
            code = secrets.token_urlsafe(8)
            self.codes[code] = asked
            back = {"code": code, "state": asked["state"], "iss": self.url, **self.says}
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 303)

        @app.post("/token_endpoint")
        async def token(request: Request) -> Response:
            sent = dict(parse_qsl((await request.body()).decode()))
            asked = self.codes.pop(sent["code"], None)
            digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
            shown = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if asked is None or asked["code_challenge"] != shown or asked["redirect_uri"] != sent["redirect_uri"]:
                return JSONResponse({"error": "invalid_grant"}, 400)
            identity = {"aud": CLIENT, "sub": self.person["sub"], "nonce": asked["nonce"], **self.wrong_id}
            bearer = {"aud": "wegenetz", **self.person, **self.wrong_bearer}
            return JSONResponse({"id_token": self._signed(identity), "access_token": self._signed(bearer)})

        @app.get("/leave")
        async def leave(request: Request) -> Response:
            self.signed_out += 1
            return RedirectResponse(request.query_params["post_logout_redirect_uri"], 303)

        app.state.public = frozenset(route.path for route in iter_route_contexts(app.routes))
        return app

    def _signed(self, claims: dict[str, Any]) -> str:
        now = int(time.time())
        told = {"iss": self.url, "iat": now, "exp": now + 600, **claims}
        return jwt.encode({"alg": "ES256", "kid": "k"}, told, self.signs_with or self._key)


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    issuer, listener, stop = Issuer(), Listener("127.0.0.1", 0), asyncio.Event()
    issuer.url = f"http://127.0.0.1:{listener.port}"
    serving = asyncio.create_task(serve(issuer.app(), listener, stop))
    try:
        yield issuer
    finally:
        stop.set()
        await serving
