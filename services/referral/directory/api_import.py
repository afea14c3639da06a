"""The door for files. The body is the file; it may be sent again at any time, and changes nothing then, so no key is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from services.referral.directory.api import Coordinator
from services.referral.directory.importing.csv_file import BadFile, read_csv, read_workbook
from services.referral.directory.importing.gathering import Gathered, Wrong
from services.referral.directory.importing.hsds_file import read_hsds
from services.referral.directory.keeping import PutPartner
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Catalogue, Language
from services.runtime.deciding import Command
from services.runtime.errors import Transient
from services.runtime.limits import upload
from services.runtime.problems import Problem, language
from services.runtime.running import Running
from services.runtime.security import Actor
from services.runtime.web import reply
from services.runtime.workbook import is_workbook

MOST_BYTES = 8 * 1024 * 1024
AT_ONCE = 200
_JSON = (b"{", b"[")


class Fault(BaseModel):
    """What is wrong with a row, in words. `column` is empty when the row as a whole is."""

    line: int
    column: str
    wrong: str
    remedy: str


class Imported(BaseModel):
    """What became of a file: how many partners and services are in the directory as it says, and what could not be taken."""

    partners: int
    services: int
    problems: list[Fault]


def add_import(router: APIRouter, running: Running, catalogue: Catalogue) -> None:
    @router.post("/directory/imports", response_model=Imported)
    @upload
    async def import_a_file(actor: Coordinator, request: Request) -> Response:
        """An Excel or CSV file, or the JSON of HSDS 3: good rows go in, each bad one is listed."""
        content = await received(request, MOST_BYTES)
        return reply(await import_file(running, catalogue, actor, content, language(request)))


async def import_file(
    running: Running, catalogue: Catalogue, actor: Actor, content: bytes, spoken: Language
) -> Imported:
    """Take what is good of a file. Raises `Problem` for one that cannot be read at all, and `Transient`."""
    try:
        gathered = await asyncio.to_thread(_reader(content), content, actor.county, berlin_day(running.clock.now()))
    except BadFile as bad:
        raise Problem(bad.code, 422) from None
    partners, services = await _settle(running, actor, gathered)
    faults = [_fault(one, catalogue, spoken) for one in sorted(gathered.wrong, key=lambda one: one.line)]
    return Imported(partners=partners, services=services, problems=faults)


def _reader(content: bytes) -> Callable[[bytes, str, date], Gathered]:
    if is_workbook(content):
        return read_workbook
    return read_hsds if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_JSON) else read_csv


async def received(request: Request, most: int) -> bytes:
    """The body. Raises `Problem` 413 for one of more bytes."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > most:
            raise Problem("body-too-large", 413, limit_kib=MOST_BYTES // 1024)
    return bytes(content)


async def _settle(running: Running, actor: Actor, gathered: Gathered) -> tuple[int, int]:
    """How many partners and services were taken. What the rules refuse is wrong too. Raises `Transient`."""
    commands = list(gathered.commands())
    partners = services = 0
    for start in range(0, len(commands), AT_ONCE):
        some = commands[start : start + AT_ONCE]
        outcomes = await running.send_all([Command(actor.county, "", data, actor.subject) for _, data in some])
        for (line, data), outcome in zip(some, outcomes, strict=True):
            if isinstance(outcome.error, Transient):
                raise outcome.error
            if outcome.error is not None:
                gathered.wrong.append(Wrong(line, "", "refused"))
            elif isinstance(data, PutPartner):
                partners += 1
            else:
                services += 1
    return partners, services


def _fault(one: Wrong, catalogue: Catalogue, spoken: Language) -> Fault:
    return Fault(
        line=one.line,
        column=one.column,
        wrong=catalogue.text(spoken, f"import.{one.code}.wrong"),
        remedy=catalogue.text(spoken, f"import.{one.code}.remedy"),
    )
