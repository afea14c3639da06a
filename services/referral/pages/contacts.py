"""Who a participant is: asked of intake with the visitor's own token, so that intake alone decides, and records each read.

Nothing of it is kept here. An answer that is no contact is told in intake's own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.runtime.catalogue import Language
from services.runtime.running import Running

INTAKE: Final = "intake"
CONTACTS: Final = "/v1/contacts"
AT_ONCE: Final = 200
"""People of one request, as intake takes them."""
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


class _Item(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    standing: Contact | None = None
    problem: _Told | None = None


class _Items(BaseModel):
    model_config = ConfigDict(extra="ignore")
    items: list[_Item]


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
        try:
            answer = await self._client.get(path, headers=_headers(token, language))
            if answer.status_code == 200:
                return Asked(Contact.model_validate_json(answer.content))
            return Asked(None, _Told.model_validate_json(answer.content).detail)
        except (httpx.HTTPError, ValidationError):
            return Asked(None)

    async def ask_all(self, token: str, language: Language, cases: Sequence[str]) -> dict[str, Asked]:
        """What this visitor may know of several people, by case: one request for a course."""
        asked: dict[str, Asked] = {}
        for start in range(0, len(cases), AT_ONCE):
            asked |= await self._ask_some(token, language, cases[start : start + AT_ONCE])
        return asked

    async def _ask_some(self, token: str, language: Language, cases: Sequence[str]) -> dict[str, Asked]:
        if self._client is None:
            return {}
        try:
            answer = await self._client.post(CONTACTS, headers=_headers(token, language), json={"cases": list(cases)})
            if answer.status_code == 200:
                items = _Items.model_validate_json(answer.content).items
                return {one.id: Asked(one.standing, one.problem.detail if one.problem else "") for one in items}
            why = _Told.model_validate_json(answer.content).detail
            return dict.fromkeys(cases, Asked(None, why))
        except (httpx.HTTPError, ValidationError):
            return {}


def _headers(token: str, language: Language) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "accept-language": language}
