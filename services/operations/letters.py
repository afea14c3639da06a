"""Dead letters of all services, through each service's own doors and under the right of whoever asks, whom the audit then names.

Nothing of a dead letter is kept here.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import httpx

from services.operations.showing import Shown, shown
from services.runtime.catalogue import Language
from services.runtime.operating import DeadLetterView
from services.runtime.problems import Problem
from services.runtime.records import OPEN

MOST: Final = 200
"""Shown of one service. Whoever has more has another problem; the services' metrics tell how many there are."""
_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Letter:
    service: str
    view: DeadLetterView

    @property
    def address(self) -> str:
        return f"/pages/letters/{self.service}/{self.view.id}"


@dataclass(frozen=True, slots=True)
class Group:
    """Dead letters of one service that died for one reason."""

    service: str
    reason: str
    letters: Sequence[Letter]


@dataclass(frozen=True, slots=True)
class Found:
    """`silent`: services that do not answer. `more`: those that have more than are shown."""

    groups: Sequence[Group]
    silent: Sequence[str]
    more: Sequence[str]


@dataclass(frozen=True, slots=True)
class Opened:
    """One with its bytes, as a person may look at them."""

    letter: Letter
    value: Shown | None
    headers: Sequence[tuple[str, Shown | None]]

    @property
    def text_headers(self) -> str:
        """Those that a form can give back, one a line."""
        told = [(name, value.whole) for name, value in self.headers if value is not None and value.whole is not None]
        return "\n".join(f"{name}={whole}" for name, whole in told if "\n" not in whole)


class NoAnswer(Exception):
    """No replica of the service answers."""


class Letters:
    """`doors`: base URLs of the replicas, by service."""

    def __init__(self, doors: Mapping[str, Sequence[str]], client: httpx.AsyncClient) -> None:
        self._doors = doors
        self._client = client

    async def all(self, token: str, state: str = OPEN) -> Found:
        pages = await asyncio.gather(*(self._list(service, token, state) for service in self._doors))
        letters = [
            Letter(service, one)
            for service, page in zip(self._doors, pages, strict=True)
            for one in (page or ((), ""))[0]
        ]
        letters.sort(key=lambda one: (one.service, one.view.reason, one.view.at))
        groups = [
            Group(*key, list(some)) for key, some in groupby(letters, key=lambda one: (one.service, one.view.reason))
        ]
        by_service = dict(zip(self._doors, pages, strict=True))
        return Found(
            groups,
            silent=[service for service, page in by_service.items() if page is None],
            more=[service for service, page in by_service.items() if page is not None and page[1]],
        )

    async def one(self, service: str, id: str, token: str) -> Opened:
        """Raises `Problem` (404 where there is none) and `NoAnswer`."""
        answer = await self._ask("GET", service, f"/{id}", token)
        view = DeadLetterView.model_validate(_content(answer))
        return Opened(Letter(service, view), _shown(view.value), [(name, _shown(text)) for name, text in view.headers])

    async def replay(
        self, opened: Opened, token: str, language: Language, *, value: str, headers: str
    ) -> str | Refusal:
        """Send it in again: `value` and the lines of `headers` as they stand in the form, where they were changed."""
        changed = _lines(headers).items() - _lines(opened.text_headers).items()
        was = opened.value.whole if opened.value is not None else None
        body = {"value": None if value == (was or "").strip() else value, "headers": dict(changed)}
        return await self._settle(opened.letter, "replay", body, token, language)

    async def discard(self, letter: Letter, token: str, language: Language, reason: str) -> str | Refusal:
        return await self._settle(letter, "discard", {"reason": reason}, token, language)

    async def _settle(
        self, letter: Letter, act: str, body: Mapping[str, Any], token: str, language: Language
    ) -> str | Refusal:
        answer = await self._ask(
            "POST", letter.service, f"/{letter.view.id}/{act}", token, language=language, json=body
        )
        if answer.is_success:
            return str(answer.json()["result"])
        problem = answer.json()
        return Refusal(str(problem["title"]), str(problem["detail"]), answer.status_code)

    async def _list(self, service: str, token: str, state: str) -> tuple[Sequence[DeadLetterView], bool] | None:
        try:
            answer = await self._ask("GET", service, "", token, params={"limit": str(MOST), "state": state})
        except NoAnswer:
            return None
        if not answer.is_success:
            return None
        page = answer.json()
        return [DeadLetterView.model_validate(one) for one in page["items"]], page["next"] is not None

    async def _ask(
        self, method: str, service: str, path: str, token: str, *, language: Language = "de", **more: Any
    ) -> httpx.Response:
        """The first replica that answers. What was sent may have been done by one that then fell silent: settling twice is refused."""
        headers = {"authorization": f"Bearer {token}", "accept-language": language}
        for address in self._doors.get(service, ()):
            try:
                url = f"{address.rstrip('/')}/runtime/dead-letters{path}"
                return await self._client.request(method, url, headers=headers, timeout=_SECONDS, **more)
            except httpx.HTTPError:
                continue
        if service not in self._doors:
            raise Problem("not-found", 404)
        raise NoAnswer(service)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the service has against it, in the reader's language."""

    title: str
    detail: str
    status: int


def _content(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json()
    raise Problem("token-invalid", 401) if answer.status_code == 401 else Problem("not-found", 404)


def _shown(encoded: str | None) -> Shown | None:
    return None if encoded is None else shown(base64.b64decode(encoded))


def _lines(text: str) -> dict[str, str]:
    parts = (line.strip().partition("=") for line in text.splitlines() if "=" in line)
    return {name: value for name, _, value in parts}
