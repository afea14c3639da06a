"""A list is read page by page, each entry once, and a cursor that we did not give is refused."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.responses import Response

from services.runtime.calendar import whole_milliseconds
from services.runtime.cursors import PageRequest, decode, encode, paging
from services.runtime.problems import Problem
from services.runtime.security import allow
from services.runtime.web import reply
from tests.runtime.small_app import SmallService

INSTANTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(whole_milliseconds)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1)


class Numbered(BaseModel):
    number: int


@pytest.fixture
def small(tmp_path: Path) -> SmallService:
    service = SmallService(tmp_path)

    @service.router.get("/numbers", dependencies=[Depends(allow("clerk"))])
    async def numbers(page: Annotated[PageRequest, paging(int, default=3, largest=10)]) -> Response:
        (after,) = page.after or (-1,)
        assert isinstance(after, int)
        rows = [number for number in range(10) if number > after][: page.fetch]
        return reply(page.page(rows, lambda number: Numbered(number=number), lambda number: (number,)))

    return service


@pytest.mark.parametrize("limit", [1, 3, 9, 10])
async def test_following_the_cursors_gives_every_entry_once_and_ends(small: SmallService, limit: int) -> None:
    seen: list[int] = []
    params: dict[str, Any] = {"limit": limit}
    async with small.client() as client:
        while True:
            page = (await client.get("/v1/numbers", params=params)).json()
            assert 0 < len(page["items"]) <= limit
            seen += [item["number"] for item in page["items"]]
            if page["next"] is None:
                break
            params["cursor"] = page["next"]

    assert seen == list(range(10))


@pytest.mark.parametrize("limit", [0, 11, -1, "many"])
async def test_a_page_has_a_sensible_size(small: SmallService, limit: object) -> None:
    async with small.client() as client:
        answer = await client.get("/v1/numbers", params={"limit": str(limit)})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "limit"


async def test_a_cursor_of_somebody_s_own_is_refused(small: SmallService) -> None:
    async with small.client() as client:
        answer = await client.get("/v1/numbers", params={"cursor": "page-2"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "cursor-invalid"


@given(INSTANTS, TEXTS, INTEGERS)
def test_a_sort_key_comes_back_as_it_went(instant: datetime, text: str, integer: int) -> None:
    assert decode(encode((instant, text, integer)), (datetime, str, int)) == (instant, text, integer)


@given(st.text(max_size=80))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        decode(text, (datetime, int))
    assert (refused.value.status_code, refused.value.code) == (400, "cursor-invalid")


def cursor_of(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "value",
    [
        {"$gt": ""},
        [{"$gt": ""}],
        [["a"]],
        [True],
        [None],
        [1.5],
        ["1"],
        [2**70],
        [],
        [1, 1],
        1,
    ],
)
def test_a_cursor_brings_no_query_and_no_other_type(value: object) -> None:
    with pytest.raises(Problem):
        decode(cursor_of(value), (int,))


@pytest.mark.parametrize("instant", ["2016-05-31", "2016-05-31T09:30:00", "0001-01-01T00:00:00+14:00", "now"])
def test_an_instant_has_one_form(instant: str) -> None:
    with pytest.raises(Problem):
        decode(cursor_of([instant]), (datetime,))


def test_a_cursor_has_a_bounded_length() -> None:
    with pytest.raises(Problem):
        decode(encode(("x" * 2000,)), (str,))
