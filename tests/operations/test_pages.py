"""The console's pages without a browser: who sees them, what they say without services and without spans, and the live stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.operations.pages.routes import looks
from services.operations.pages.ways import lasting
from tests.operations.room import Room, open_room
from tests.operations.test_spans_kept import ANNA, kept
from tests.pages.visitor import LOCAL_SIGN_IN

PAGES = ("/pages/overview", "/pages/lag", "/pages/letters", "/pages/ways")


@pytest_asyncio.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path, {"intake": ["http://127.0.0.1:9"]}) as opened:
        yield opened


async def test_operators_alone_see_the_pages(room: Room) -> None:
    async with room.operator("counsellor") as counsellor, room.visitor() as nobody:
        for path in (*PAGES, "/pages/live", "/pages/ways/" + "0" * 32):
            assert (await counsellor.get(path)).status_code == 403
            assert (await nobody.get(path)).url.path == LOCAL_SIGN_IN


async def test_every_page_opens_in_both_languages_while_no_service_answers(room: Room) -> None:
    await room.console.look()
    for language, silent in (("de", "antwortet nicht"), ("en", "does not answer")):
        async with room.operator(language=language) as operator:
            for path in PAGES:
                assert (await operator.get(path)).status_code == 200
            assert silent in (await operator.get("/pages/overview")).text
            assert silent in (await operator.get("/pages/letters")).text
            assert (await operator.get("/pages/letters/intake/abc")).status_code == 503
            assert (await operator.get("/pages/letters/nobody/abc")).status_code == 404


async def test_a_way_is_found_by_its_subject_and_by_its_trace(room: Room) -> None:
    trace = "a" * 32
    room.console.spans.take([kept(trace, subject=ANNA, name="RegisterArrival"), kept(trace, name="arrival-registered")])
    async with room.operator() as operator:
        for id in (ANNA, ANNA.partition("/")[2], trace):
            shown = await operator.get("/pages/ways", params={"id": id})
            assert shown.status_code == 200
            assert "RegisterArrival" in shown.text
            assert "arrival-registered" in shown.text
        assert (await operator.get("/pages/ways", params={"id": "Amal"})).status_code == 422
        assert (await operator.get("/pages/ways/" + "b" * 32)).status_code == 404


async def test_the_stream_says_when_there_is_something_new_and_ends_when_the_process_stops(room: Room) -> None:
    heard: list[str] = []

    async def listen() -> None:
        heard.extend([line async for line in looks(room.console)])

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.01)
    await room.console.look()
    await asyncio.sleep(0.01)
    room.console.closing.set()
    began = time.monotonic()
    async with asyncio.timeout(2):
        await listening
    assert "event: look\ndata: 1\n\n" in heard
    assert time.monotonic() - began < 1


def test_lengths_of_time_are_written_as_the_language_writes_numbers() -> None:
    assert (lasting(3_600_000_000, "de"), lasting(3_600_000_000, "en")) == ("3,6 s", "3.6 s")
