"""What an operator does with a running copy: look after dead letters, send histories again, count anew. All through the services' doors.

Only coded values are shown: a dead letter's bytes are asked for one at a time, with `show`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.embedded.folder import DataFolder, read_choices, read_running
from deploy.refusals import CannotDo, NotUnderstood
from schemas.codes import Role
from services.runtime.local_issuer import LocalIssuer, LocalIssuerRefused
from services.runtime.settings import Settings
from services.runtime.settings_problems import BadSettings

Item = dict[str, Any]

SHOWN_OF_ID: Final = 12
_SHOWN_OF_TEXT: Final = 2000
_SECONDS: Final = 30.0
_SECONDS_OF_A_REBUILD: Final = 6 * 3600.0
"""Everything is counted anew, page by page: some hundred people a second on a small machine."""


class Operator:
    """Speaks to the services of the copy that runs with `folder`, as an operator of one county."""

    def __init__(self, folder: Path, county: str | None = None) -> None:
        running = read_running(folder)
        if running is None:
            raise CannotDo(f"Nothing is running with the data in {folder}/. Start it with: wegenetz up")
        self.services: Final = running.services
        self._folder = folder
        token = issue_token(folder, role=Role.OPERATOR, county=county, subject="wegenetz-command")
        self._client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS)

    def get(self, service: str, path: str, **parameters: str) -> Item:
        return self._call("GET", service, path, params=parameters)

    def post(self, service: str, path: str, body: Item | None = None, *, seconds: float | None = None) -> Item:
        """What the service answers; `seconds` to wait for it where it takes longer than usual."""
        patience = httpx.Timeout(_SECONDS, read=seconds or _SECONDS)
        return self._call("POST", service, path, json=body or {}, timeout=patience)

    def each(self, service: str, path: str) -> Iterator[Item]:
        """Every entry of a list, page by page."""
        page = self.get(service, path)
        yield from page["items"]
        while page.get("next"):
            page = self.get(service, path, cursor=page["next"])
            yield from page["items"]

    def one_of(self, service: str | None) -> Sequence[str]:
        """The services that are meant: the named one, or all. Raises when there is no such service."""
        if service is None:
            return tuple(self.services)
        if service not in self.services:
            raise NotUnderstood(f"There is no service {service!r} here. There are: {', '.join(self.services)}.")
        return (service,)

    def _call(self, method: str, service: str, path: str, **arguments: Any) -> Item:
        try:
            answer = self._client.request(method, self.services[service] + path, **arguments)
        except httpx.ReadTimeout:
            raise CannotDo(f"The service {service} has not answered in time. It may still be at work.") from None
        except httpx.TransportError:
            log = self._folder / "log" / f"{service}.log"
            raise CannotDo(f"The service {service} does not answer. Its log is {log}.") from None
        if answer.is_success:
            return answer.json() if answer.content else {}
        raise CannotDo(f"The service {service} refused: {_sentence(answer)}")


def issue_token(
    folder: Path, *, role: str, county: str | None, subject: str, ttl: float = 3600, **claims: str | None
) -> str:
    """A token of the local issuer. Raises `CannotDo` where there is none."""
    key_file = DataFolder(folder).issuer_key_file
    if not key_file.exists():
        raise CannotDo(
            f"There is no key in {folder}/ that could sign a token; the first start makes it. Start with: wegenetz up"
        )
    if county is None:
        county = (read_choices(folder).counties or ("",))[0]
    try:
        issuer = LocalIssuer(Settings.load(service="command", local_issuer_key_file=key_file.resolve()))
    except (BadSettings, LocalIssuerRefused) as refusal:
        raise CannotDo(str(refusal)) from None
    return issuer.token(subject, role, county, ttl=ttl, **claims)


def list_dead_letters(operator: Operator, *, service: str | None, console: Console) -> None:
    table = Table("Id", "Service", "Since", "Event", "Reason", "Detail", box=None, pad_edge=False)
    for name in operator.one_of(service):
        for letter in operator.each(name, "/runtime/dead-letters"):
            words = [Text(str(letter.get(field) or "")) for field in ("at", "type", "reason", "detail")]
            table.add_row(letter["id"][:SHOWN_OF_ID], name, *words)
    if table.row_count:
        console.print(table)
        console.print("Look at one: wegenetz dead-letters show ID")
    else:
        console.print("There are no dead letters.")


def show_dead_letter(operator: Operator, *, service: str | None, beginning: str, console: Console) -> None:
    """Everything about one, its value as text where it is text. It may hold anything that somebody sent."""
    name, found = _find(operator, service, beginning)
    letter = operator.get(name, f"/runtime/dead-letters/{found['id']}")
    table = Table.grid(padding=(0, 2))
    table.add_row("service", name)
    for field, value in letter.items():
        if field not in ("headers", "value") and value is not None:
            table.add_row(field, Text(str(value)))
    for header, encoded in letter["headers"]:
        table.add_row(f"header {header}", Text(_readable(encoded)))
    table.add_row("value", Text(_readable(letter["value"])))
    console.print(table)


def replay_dead_letter(
    operator: Operator,
    *,
    service: str | None,
    beginning: str,
    value: Path | None,
    header: Sequence[str] | None,
    console: Console,
) -> None:
    """Send it in again, with another value or other headers where these are given."""
    headers = {name: text for name, _, text in (one.partition("=") for one in header or ())}
    if "" in headers or not all("=" in one for one in header or ()):
        raise NotUnderstood("A header is written as --header NAME=VALUE.")
    try:
        corrected = value.read_text(encoding="utf-8") if value else None
    except (OSError, UnicodeDecodeError):
        raise CannotDo(f"The file {value} cannot be read as text in UTF-8.") from None
    name, letter = _find(operator, service, beginning)
    answer = operator.post(
        name, f"/runtime/dead-letters/{letter['id']}/replay", {"value": corrected, "headers": headers}
    )
    console.print(f"{name} has taken it again: {answer['result']}.")


def discard_dead_letter(
    operator: Operator, *, service: str | None, beginning: str, reason: str, console: Console
) -> None:
    name, letter = _find(operator, service, beginning)
    operator.post(name, f"/runtime/dead-letters/{letter['id']}/discard", {"reason": reason})
    console.print(f"{name} has discarded it, for the reason you gave, and goes on behind it.")


def refill_topics(operator: Operator, *, service: str | None, console: Console) -> None:
    for name in operator.one_of(service):
        operator.post(name, "/runtime/refill")
        console.print(f"{name} sends its history again. Whoever knows an event already skips it.")


def rebuild_reporting(operator: Operator, *, console: Console) -> None:
    """Says what came of it, since something that was wrong is a reason to look further."""
    (name,) = operator.one_of("reporting")
    console.print(f"{name} counts everything anew. People go on being counted meanwhile …")
    answer = operator.post(name, "/v1/rebuild", seconds=_SECONDS_OF_A_REBUILD)
    facts, cells, changed = (answer[number] for number in ("facts", "cells", "changed"))
    console.print(
        f"What is known of {facts:,} people, anonymous counts and offers makes {cells:,} figures.", highlight=False
    )
    if changed:
        console.print(
            f"In {changed:,} of them something else had stood. They are right now; look into the logs for the reason."
        )
    else:
        console.print("Every one of them had been right before.")


def _find(operator: Operator, service: str | None, beginning: str) -> tuple[str, Item]:
    found = [
        (name, letter)
        for name in operator.one_of(service)
        for letter in operator.each(name, "/runtime/dead-letters")
        if letter["id"].startswith(beginning)
    ]
    if not found:
        raise CannotDo(f"No open dead letter has an id that begins with {beginning!r}. All of them: dead-letters list")
    if len(found) > 1:
        raise CannotDo(f"{len(found)} dead letters have ids that begin with {beginning!r}. Give more of the id.")
    return found[0]


def _readable(encoded: str | None) -> str:
    """Bytes for a person: the beginning of a text, or how many there are."""
    if encoded is None:
        return "(null)"
    raw = base64.b64decode(encoded)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return f"({len(raw)} bytes that are not text) {raw[:40].hex(' ')}"
    if len(text) > _SHOWN_OF_TEXT:
        return f"{text[:_SHOWN_OF_TEXT]} … ({len(text)} characters)"
    return text or "(empty)"


def _sentence(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return f"it answered with status {answer.status_code}."
