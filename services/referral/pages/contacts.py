"""Who a participant is: asked of intake with the visitor's own token, so that intake alone decides, and records each read.

Nothing of it is kept here. An answer that is no contact is told in intake's own words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.runtime.catalogue import Language
from services.runtime.running import Running

INTAKE: Final = "intake"
AT_ONCE: Final = 6
SECONDS: Final = 5.0


class Contact(BaseModel):
    """The fields that the agreement names; null is what it does not name."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    family_name: str | None = Field(default=None, repr=False)
    given_names: str | None = Field(default=None, repr=False)
    birth_date: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    email: str | None = Field(default=None, repr=False)
    languages: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Family name first, as in a list of participants."""
        return ", ".join(part for part in (self.family_name, self.given_names) if part)


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore")
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A contact, or why there is none (empty: intake did not answer)."""

    contact: Contact | None
    why: str = ""


class Contacts:
    """Asks intake. `client` has the base URL of intake; None where there is no intake to be asked."""

    def __init__(self, client: httpx.AsyncClient | None) -> None:
        self._client = client

    @classmethod
    def of(cls, running: Running) -> Contacts:
        url = running.settings.peers.get(INTAKE)
        return cls(httpx.AsyncClient(base_url=url, timeout=SECONDS, follow_redirects=False) if url else None)

    async def ask(self, token: str, language: Language, path: str) -> Asked:
        """What this visitor may know of one person. `path` is the address that the referral names."""
        if self._client is None:
            return Asked(None)
        headers = {"authorization": f"Bearer {token}", "accept-language": language}
        try:
            answer = await self._client.get(path, headers=headers)
            if answer.status_code == 200:
                return Asked(Contact.model_validate_json(answer.content))
            return Asked(None, _Told.model_validate_json(answer.content).detail)
        except (httpx.HTTPError, ValidationError):
            return Asked(None)

    async def ask_all(self, token: str, language: Language, paths: Sequence[str | None]) -> list[Asked]:
        """The same for several, in order; a few at a time."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(path: str | None) -> Asked:
            if path is None:
                return Asked(None)
            async with gate:
                return await self.ask(token, language, path)

        return list(await asyncio.gather(*map(one, paths)))
