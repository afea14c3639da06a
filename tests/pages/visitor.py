"""A visitor without JavaScript: follows links and fills in forms as a browser does, and reads what the page says."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
from fastapi import FastAPI
from starlette.responses import Response

from services.runtime.pages.session import LONGEST_SECONDS, Session, Sessions
from services.runtime.seals import Seals
from services.runtime.settings import Settings


@dataclass
class FormOnPage:
    """A form with its fields as they stand on the page."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FormOnPage] = []
        self.texts: list[str] = []
        self._open: FormOnPage | None = None
        self._select = ""
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self._silent = tag in ("script", "style") or (self._silent and tag != "body")
        if tag == "form":
            self._open = FormOnPage(told["action"])
            self.forms.append(self._open)
        if self._open is None:
            return
        name = told.get("name", "")
        if tag == "input" and (told.get("type") not in ("radio", "checkbox") or "checked" in told):
            self._open.fields[name] = told.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in told or self._select not in self._open.fields):
            self._open.fields[self._select] = told["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


class Page:
    """What was answered."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.path = answer.url.path
        reader = _Reader()
        reader.feed(answer.text)
        self.forms = reader.forms
        self.text = re.sub(r"\s+", " ", " ".join(reader.texts))

    def form(self, ending: str, number: int = 0) -> FormOnPage:
        """The form whose address ends so."""
        return [one for one in self.forms if one.action.endswith(ending)][number]


LOCAL_SIGN_IN = "/pages/local-sign-in/authorize"
"""Where whoever is not signed in is led to, on one machine."""


class Visitor:
    """Keeps cookies, follows redirects."""

    def __init__(self, app: FastAPI, language: str) -> None:
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://referral",
            headers={"accept-language": language},
            follow_redirects=True,
        )

    async def open(self, path: str) -> Page:
        return Page(await self.client.get(path))

    async def send(self, form: FormOnPage, **values: str) -> Page:
        fields = {**form.fields, **{name.replace("__", "-"): value for name, value in values.items()}}
        return Page(await self.client.post(form.action, data=fields))

    async def sign_in(self, person: str) -> Page:
        page = await self.open("/pages/sign-in")
        return await self.send(page.form("/authorize"), person=person)


def hold_session(client: httpx.AsyncClient, settings: Settings, token: str = "") -> None:
    """As if the browser had signed in before, with this bearer token (or that of its header): it holds the session's cookie."""
    token = token or client.headers["authorization"].partition(" ")[2]
    response = Response()
    session = Session(form=secrets.token_urlsafe(24), until=int(time.time()) + LONGEST_SECONDS, token=token)
    Sessions(Seals(settings).of("sessions"), secure=settings.profile == "production").keep(response, session)
    cookie = {"set-cookie": response.headers["set-cookie"]}
    client.cookies.extract_cookies(httpx.Response(200, headers=cookie, request=httpx.Request("GET", client.base_url)))
