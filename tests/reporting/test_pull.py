"""A warehouse that pulls releases with the lines that are documented, and is cut off: it has everything in the end, and nothing twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.codes import Role
from services.reporting.releases.calendar import Issue
from services.reporting.releases.publishing import Publisher
from tests.reporting.county import COUNTY, arrival, id_of
from tests.reporting.office import Office, Sender

PAGE = Path(__file__).parents[2] / "docs" / "architecture" / "releases.md"


def documented() -> Any:
    """The function of the page."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 - our own page
    return names["pull"]


class Cut(httpx.AsyncByteStream):
    """Half of an answer, and then nothing more."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content[: len(self._content) // 2]
        raise httpx.ReadError("the line is dead")


class Line(httpx.AsyncBaseTransport):
    """The way to the office. It dies in the middle of the answer of this number; `asked` are the files and where they were to begin."""

    def __init__(self, office: Office, dies_at: int | None) -> None:
        self._way = httpx.ASGITransport(office.app)
        self._dies_at = dies_at
        self.asked: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._way.handle_async_request(request)
        if "range" not in request.headers:
            return answer
        self.asked.append((request.url.path, request.headers["range"]))
        if len(self.asked) == self._dies_at:
            return httpx.Response(answer.status_code, headers=answer.headers, stream=Cut(await answer.aread()))
        return answer


@pytest.mark.asyncio(loop_scope="module")
async def test_a_warehouse_that_was_cut_off_goes_on_without_loss_or_repetition(office: Office, tmp_path: Path) -> None:
    sender, pull = Sender(), documented()
    await office.take([sender.record(id_of(f"person {number}"), arrival()) for number in range(30)])
    await Publisher(office.running).publish(COUNTY, Issue("monthly", "2016-01"))
    dies, line, idle = Line(office, 3), Line(office, None), Line(office, None)
    with pytest.raises(httpx.ReadError):
        async with client(office, dies) as first:
            await pull(first, tmp_path)
    assert len(dies.asked) == 3

    await Publisher(office.running).publish(COUNTY, Issue("monthly", "2016-02"))
    async with client(office, line) as again:
        await pull(again, tmp_path)
        listed = (await again.get("/v1/releases")).json()["items"]
    assert [one["name"] for one in listed] == ["2016-02-provisional", "2016-01-provisional"]
    for release in listed:
        for file in release["files"]:
            content = (tmp_path / release["name"] / file["name"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
    cut, begins = line.asked[0]
    assert cut == dies.asked[2][0]
    assert begins != "bytes=0-", "it went on in the middle of the file"
    assert not {path for path, _ in line.asked} & {path for path, _ in dies.asked[:2]}, (
        "what was there was not loaded again"
    )

    async with client(office, idle) as later:
        await pull(later, tmp_path)
    assert idle.asked == []


def client(office: Office, line: Line) -> httpx.AsyncClient:
    headers = office.client(Role.REPORTER).headers
    return httpx.AsyncClient(transport=line, base_url="http://reporting", headers=headers)
