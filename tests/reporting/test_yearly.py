"""The dashboard's and the yearly report's doors: who comes in, what is told, texts that nobody loses, and the PDF taken apart."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import pytest

from schemas.codes import Role
from services.reporting import yearly
from services.reporting.dashboard import published
from services.reporting.dashboard.pictures import draw
from services.reporting.dashboard.telling import Shown
from tests.pages.visitor import Page, hold_session
from tests.reporting.county import COUNTY
from tests.reporting.office import OTHER_COUNTY, Office
from tests.reporting.released import MARCH_ALONE, QUARTERS, SUMMER, YEAR, release

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOREWORD = "/pages/yearly/2016/texts/foreword"


async def visitor(office: Office, role: Role = Role.REPORTER, county: str = COUNTY) -> httpx.AsyncClient:
    client = office.client(role, county=county)
    hold_session(client, office.running.settings)
    return client


async def written(client: httpx.AsyncClient, text: str, do: str = "save", **more: str) -> httpx.Response:
    form = Page(await client.get(FOREWORD)).form(FOREWORD)
    return await client.post(FOREWORD, data={**form.fields, "text": text, "do": do, **more})


async def test_pictures_are_of_one_release_for_ever(office: Office) -> None:
    await release(office, *QUARTERS, YEAR)
    client = await visitor(office)
    page = (await client.get("/pages/dashboard")).text
    addresses = [one.replace("&amp;", "&") for one in re.findall(r'src="(/pages/dashboard/[^"]+)"', page)]
    assert len(addresses) > 12
    assert all(one.startswith("/pages/dashboard/2016-final/quarter/") for one in addresses)
    first = await client.get(addresses[1])
    assert (first.status_code, first.headers["content-type"]) == (200, "image/svg+xml")
    assert "immutable" in first.headers["cache-control"]
    assert (await client.get(addresses[1])).content == first.content
    without = await client.get(addresses[1].partition("?")[0])
    assert "immutable" not in without.headers.get("cache-control", ""), "what it was made from is not in its address"
    assert (await client.get("/pages/dashboard/2015-final/quarter/arrivals-by-age.svg")).status_code == 404


async def test_two_who_ask_for_a_picture_at_once_and_whoever_comes_later_get_one_drawing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await release(office, SUMMER)
    client, drawn = await visitor(office), list[str]()

    def counted(shown: Shown, *rest: Any) -> bytes:
        drawn.append(shown.exhibit.id)
        return draw(shown, *rest)

    monkeypatch.setattr(published, "draw", counted)
    address = "/pages/dashboard/2016-Q3-final/month/arrivals-by-age.svg"
    answers = [*await asyncio.gather(client.get(address), client.get(address)), await client.get(address)]
    assert len({one.content for one in answers}) == 1
    assert drawn == ["arrivals-by-age"]


async def test_what_a_release_leaves_out_is_told_and_not_drawn(office: Office) -> None:
    await release(office, MARCH_ALONE, SUMMER)
    page = (await (await visitor(office)).get("/pages/dashboard?release=2016-03-provisional")).text
    assert "Die Veröffentlichung" not in page
    assert "So fein gegliedert ist diese Zahl in der Veröffentlichung für März 2016 nicht enthalten" in page
    assert "/arrivals-by-age.svg" not in page
    assert "Wie lange gewartet wurde, steht in keiner Veröffentlichung." in page


async def test_before_the_first_release_it_is_said_when_there_will_be_one(office: Office) -> None:
    client = await visitor(office)
    assert "Noch ist nichts veröffentlicht." in (await client.get("/pages/dashboard")).text
    assert "Noch ist kein Jahr endgültig veröffentlicht." in (await client.get("/pages/yearly")).text
    assert (await client.get("/pages/yearly/2016/report.pdf")).status_code == 404


async def test_only_the_reporting_office_and_coordinators_of_the_county_come_in(office: Office) -> None:
    await release(office, YEAR)
    paths = ("/pages/dashboard", "/pages/yearly/2016", "/pages/yearly/2016/report.pdf", FOREWORD)
    for role in set(Role) - {Role.COORDINATOR, Role.REPORTER, Role.SERVICE}:
        client = await visitor(office, role)
        assert [(await client.get(path)).status_code for path in paths] == [403] * 4, role
    elsewhere = await visitor(office, county=OTHER_COUNTY)
    assert [(await elsewhere.get(path)).status_code for path in paths] == [200, 404, 404, 404]
    file = "/pages/releases/2016-final/figures.csv"
    assert (await elsewhere.get(file)).status_code == 404
    assert (await (await visitor(office)).get(file)).headers["content-disposition"].startswith("attachment")


# --- the texts --------------------------------------------------------------------------------------------------------------


async def test_a_preview_keeps_nothing_and_a_saved_text_stands_in_the_report_with_who_and_when(office: Office) -> None:
    await release(office, YEAR)
    client = await visitor(office)
    seen = Page(await written(client, "Liebe Leute,\n\n- eins\n- zwei", do="preview"))
    assert '<li class="kern-body">zwei</li>' in seen.answer.text
    assert "Vorwort" not in (await client.get("/pages/yearly/2016")).text

    assert (await written(client, "Liebe Leute,\n\n- <b>eins</b>")).status_code == 303
    report = (await client.get("/pages/yearly/2016")).text
    assert "&lt;b&gt;eins&lt;/b&gt;" in report
    assert "Stand 1, 15.03.2016" in (await client.get("/pages/yearly/2016/texts")).text
    assert "Anmeldung somebody" in (await client.get(FOREWORD)).text


async def test_nobody_writes_over_what_somebody_else_wrote_meanwhile_and_nothing_typed_is_lost(office: Office) -> None:
    await release(office, YEAR)
    one, other = await visitor(office), await visitor(office, Role.COORDINATOR)
    mine = Page(await one.get(FOREWORD)).form(FOREWORD)
    await written(other, "Das stand zuerst da.")

    answer = await one.post(FOREWORD, data={**mine.fields, "text": "Und das ist meines.", "do": "save"})

    assert answer.status_code == 409
    assert "Das stand zuerst da." in answer.text
    assert "Und das ist meines.</textarea>" in answer.text
    again = Page(answer).form(FOREWORD)
    assert again.fields["seen"] == "1", "what is shown now has been seen"
    both = {**again.fields, "text": "Das stand zuerst da. Und das ist meines.", "do": "save"}
    assert (await one.post(FOREWORD, data=both)).status_code == 303


async def test_a_text_that_is_too_long_comes_back_whole(office: Office) -> None:
    await release(office, YEAR)
    long = "Wort " * 1300
    answer = await written(await visitor(office), long)
    assert answer.status_code == 422
    assert long.strip() in answer.text
    assert "höchstens 6.000 Zeichen" in answer.text


# --- the PDF ------------------------------------------------------------------------------------------------------------------


async def test_the_pdf_is_set_without_packages_from_elsewhere() -> None:
    assert "@" not in (Path(yearly.__file__).parent / "report.typ").read_text(encoding="utf-8")


async def test_the_pdf_is_tagged_in_german_with_title_headings_alternative_texts_and_table_headers(
    office: Office,
) -> None:
    await release(office, *QUARTERS, YEAR)
    client = await visitor(office)
    await written(client, "Ein Vorwort mit #let und *Sternen*.")
    answer = await client.get("/pages/yearly/2016/report.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert (await client.get("/pages/yearly/2016/report.pdf")).content == answer.content

    with pikepdf.open(io.BytesIO(answer.content)) as pdf:
        root = pdf.Root
        assert root.MarkInfo.Marked
        assert str(root.Lang) == "de-DE"
        assert root.ViewerPreferences.DisplayDocTitle
        with pdf.open_metadata() as told:
            assert told["pdfuaid:part"] == "1"
            assert told["dc:title"] == "Jahresbericht 2016, Landkreis Osnabrück"
        tags = list(structure(root.StructTreeRoot))
        kinds = [str(tag.get("/S")) for tag in tags]
        figures = [tag for tag in tags if tag.get("/S") == "/Figure"]
        assert len(figures) > 12
        assert all(len(str(tag.Alt)) > 40 for tag in figures)
        assert any("Im Jahr 2016 kamen" in str(tag.Alt) for tag in figures)
        assert kinds.count("/H1") >= 10
        assert kinds.count("/H2") > 12
        assert kinds.count("/Table") > 12
        assert kinds.count("/TH") > 2 * kinds.count("/Table") - 1
        assert {"/Caption", "/TOC"} <= set(kinds)
        fonts = {str(font.BaseFont) for page in pdf.pages for font in page.Resources.get("/Font", {}).values()}
        assert fonts
        assert all("FiraSans" in name for name in fonts), fonts


def structure(tag: Any) -> Iterator[Any]:
    """The tags below one."""
    children = tag.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield child
            yield from structure(child)
