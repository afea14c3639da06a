"""The doors of a running copy, as everybody in the simulation comes through them: addresses, tokens, patience.

    async with Doors.of(running.services, running.issuer_key_file, county="03459") as doors:
        await doors.post("intake", "/v1/imports", clerk, {...}, key="file-7")

What may be relied on:

- A service that restarts is waited for: refused connections, connections cut off half way and 503 are tried again, for `patience` seconds.
- A command is sent again with the key of the first time, so that trying again does nothing twice.
- What a service refuses is raised at once as `Refusal`, with its code and sentence.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from pydantic_core import from_json, to_json

from schemas.codes import Role
from services.runtime.local_issuer import LocalIssuer
from services.runtime.settings import Settings
from simulation.wire import Address, Answer

TOKEN_SECONDS: Final = 900.0
RENEWED_BEFORE: Final = 300.0
"""Seconds before its end at which a token is replaced: longer than any request takes."""
FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 0.4
TRY_AGAIN: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who acts: the claims of the token."""

    role: Role
    subject: str
    office: str | None = None
    site: str | None = None
    organisation: str | None = None


OPERATOR: Final = Who(Role.OPERATOR, "simulation")


class Refusal(Exception):
    """A service said no. `code` is its stable word for why, `detail` its sentence for people."""

    def __init__(self, service: str, status: int, code: str, detail: str) -> None:
        super().__init__(f"{service} refused ({status} {code}): {detail}")
        self.service = service
        self.status = status
        self.code = code
        self.detail = detail


class NoAnswer(Exception):
    """A service did not answer for as long as anybody waits."""

    def __init__(self, service: str, seconds: float, why: str) -> None:
        super().__init__(f"The service {service} has not answered for {seconds:.0f} s ({why}).")


@dataclass(slots=True)
class _Token:
    text: str
    until: float


@dataclass(slots=True)
class Doors:
    """Used as an asynchronous context manager; closes its connections at the end. `county` is the one that everybody acts in."""

    services: Mapping[str, Address]
    issuer: LocalIssuer
    county: str
    patience: float = 120.0
    requests: int = 0
    _tokens: dict[Who, _Token] = field(default_factory=dict[Who, "_Token"])

    @classmethod
    def of(cls, services: Mapping[str, str], issuer_key_file: Path, county: str, patience: float = 120.0) -> Self:
        """`services` are the base URLs by name, `issuer_key_file` is that of the copy's local issuer."""
        issuer = LocalIssuer(Settings.load(service="simulation", local_issuer_key_file=issuer_key_file.resolve()))
        return cls({name: Address(url) for name, url in services.items()}, issuer, county, patience)

    def moved_to(self, services: Mapping[str, str]) -> None:
        """The copy was started again and is found elsewhere; whoever is waiting for an answer asks there."""
        self.services = {name: Address(url) for name, url in services.items()}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for address in self.services.values():
            address.close()

    async def get(self, service: str, path: str, who: Who, **query: str | int | None) -> Any:
        """The answer's JSON. Parameters that are None are left out."""
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return _content(await self.ask(service, "GET", f"{path}?{asked}" if asked else path, who))

    async def post(self, service: str, path: str, who: Who, body: object = None, *, key: str | None = None) -> Any:
        """Send a command under `key`; without one it is not a command, or harmless to repeat."""
        return _content(await self.ask(service, "POST", path, who, to_json(body if body is not None else {}), key=key))

    async def put(self, service: str, path: str, who: Who, body: object, *, key: str | None = None) -> Any:
        return _content(await self.ask(service, "PUT", path, who, to_json(body), key=key))

    async def each(self, service: str, path: str, who: Who, **query: str | int | None) -> AsyncIterator[Any]:
        """Every entry of a list, page by page."""
        cursor: str | None = None
        while True:
            page = await self.get(service, path, who, **query, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if not cursor:
                return

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        who: Who,
        body: bytes = b"",
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, tried again while the service is away. Raises `Refusal`, `NoAnswer`."""
        began, pause = time.monotonic(), FIRST_PAUSE
        while True:
            address = self.services[service]
            given = {"authorization": f"Bearer {self._token(who)}", "content-type": "application/json"}
            if key is not None:
                given["idempotency-key"] = key
            given.update(headers or {})
            self.requests += 1
            try:
                answer = await address.ask(method, path, given, body)
            except OSError as error:
                why = str(error)
            else:
                if answer.status not in TRY_AGAIN:
                    return _checked(service, answer)
                why = f"{answer.status}"
            if time.monotonic() - began > self.patience:
                raise NoAnswer(service, self.patience, why)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _token(self, who: Who) -> str:
        known, now = self._tokens.get(who), time.monotonic()
        if known is None or known.until - RENEWED_BEFORE < now:
            text = self.issuer.token(
                who.subject,
                who.role,
                self.county,
                office=who.office,
                site=who.site,
                organisation=who.organisation,
                ttl=TOKEN_SECONDS,
            )
            known = self._tokens[who] = _Token(text, now + TOKEN_SECONDS)
        return known.text


def _checked(service: str, answer: Answer) -> Answer:
    if answer.status < 400:
        return answer
    problem: dict[str, Any] = from_json(answer.body) if "json" in answer.headers.get("content-type", "") else {}
    raise Refusal(service, answer.status, problem.get("code", ""), problem.get("detail", ""))


def _content(answer: Answer) -> Any:
    return from_json(answer.body) if answer.body else None
