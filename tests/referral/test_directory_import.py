"""A directory is read in from a file: good rows go in, each bad one is listed, and the same file again changes nothing."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from io import BytesIO
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from schemas.codes import Role, ServiceKind
from schemas.labels import label
from services.referral.directory.entries import PartnerEntry
from services.referral.directory.importing.csv_file import COLUMNS, BadFile, read_csv, read_workbook
from services.referral.directory.importing.gathering import Gathered
from services.referral.directory.importing.hsds_file import read_hsds
from services.referral.directory.importing.values import code_from
from services.referral.directory.keeping import PutPartner, PutService
from services.referral.service import SERVICE
from services.runtime.catalogue import LANGUAGES, RUNTIME_MESSAGES, Catalogue
from tests.referral.directory import A_COURSE, VHS, entry
from tests.referral.house import House, key
from tests.referral.network import COUNTY, COURSE, MELLE, TODAY
from tests.referral.test_directory_doors import fill

CATALOGUE = Catalogue(RUNTIME_MESSAGES, SERVICE.messages)

HEADINGS = "Träger;E-Mail;Standort;Ort;Art;Leistung;Sprachen;Stand"


def csv(*rows: str, headings: str = HEADINGS) -> Gathered:
    return read_csv("\r\n".join((headings, *rows)).encode(), COUNTY, TODAY)


def wrong(gathered: Gathered) -> list[tuple[int, str, str]]:
    return [(one.line, one.column, one.code) for one in gathered.wrong]


def put(gathered: Gathered) -> list[Any]:
    return [command for _, command in gathered.commands()]


def row(**other: str) -> str:
    """A good row, with some cells replaced."""
    cells = {
        "Träger": "Volkshochschule Musterland", "E-Mail": "info@vhs.example", "Standort": "Haus Melle",
        "Ort": "Melle", "Art": label(COURSE, "de"), "Leistung": "Integrationskurs", "Sprachen": "deu, ar",
        "Stand": "31.05.2016",
    }  # fmt: skip
    return ";".join(f'"{cell}"' for cell in {**cells, **other}.values())


# --- tables -----------------------------------------------------------------------------------------------------------------


def test_a_row_is_a_service_of_a_partner_at_a_site():
    partner, service = put(csv(row()))
    assert isinstance(partner, PutPartner)
    assert isinstance(service, PutService)
    assert (partner.partner, partner.entry.email, partner.as_of) == (
        "volkshochschule-musterland",
        "info@vhs.example",
        service.as_of,
    )
    (site,) = partner.entry.sites
    assert (site.code, site.name, site.district) == ("haus-melle", "Haus Melle", MELLE)
    assert (service.service, service.entry.kind, service.entry.languages) == (
        "integrationskurs",
        COURSE,
        ("deu", "ara"),
    )
    assert (service.entry.sites, str(service.as_of)) == (("haus-melle",), "2016-05-31")


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ({"Träger": ""}, ("Träger", "missing")),
        ({"E-Mail": "nobody"}, ("E-Mail", "email")),
        ({"Ort": "Hannover"}, ("Ort", "district")),
        ({"Art": "Tanzkurs"}, ("Art", "kind")),
        ({"Art": ""}, ("Art", "missing")),
        ({"Sprachen": "deu, zz9"}, ("Sprachen", "language")),
        ({"Stand": "31.02.2016"}, ("Stand", "day")),
        ({"Stand": "02.06.2016"}, ("Stand", "day-to-come")),
    ],
)
def test_a_bad_row_is_listed_with_line_and_column_and_the_good_ones_go_in(bad: dict[str, str], found: tuple[str, str]):
    gathered = csv(row(), row(**bad), row(Leistung="Elternkurs"))
    assert wrong(gathered) == [(3, *found)]
    assert [one.service for one in put(gathered)[1:]] == ["elternkurs", "integrationskurs"]


def test_all_that_is_wrong_with_a_row_is_said_at_once_and_never_what_was_written():
    gathered = csv(row(**{"E-Mail": "Erika", "Stand": "gestern"}))
    assert wrong(gathered) == [(2, "E-Mail", "email"), (2, "Stand", "day")]
    assert put(gathered) == []
    assert "Erika" not in repr(gathered.wrong)


def test_rows_of_one_partner_come_together_and_one_that_contradicts_is_listed():
    more, other = row(Standort="Haus Bramsche", Ort="Bramsche"), row(**{"E-Mail": "another@vhs.example"})
    gathered = csv(row(), more, other)
    partner, service = put(gathered)
    assert [site.code for site in partner.entry.sites] == ["haus-melle", "haus-bramsche"]
    assert service.entry.sites == ("haus-bramsche", "haus-melle")
    assert wrong(gathered) == [(4, "E-Mail", "contradiction")]


def test_a_row_that_cannot_be_taken_apart_hinders_no_other():
    gathered = csv("one;two", "", ";;;;;;;", row().replace('"', "", 1), row())
    assert wrong(gathered) == [(2, "", "cells"), (5, "", "cells")]
    assert len(put(gathered)) == 2


def test_a_cell_may_hold_a_line_break_and_the_next_row_keeps_its_line():
    gathered = csv(row(Leistung="Kurs\nmit Pause"), row(Art="Tanzkurs"))
    assert wrong(gathered) == [(4, "Art", "kind")]
    assert put(gathered)[1].entry.name.de == "Kurs\nmit Pause"


def test_a_file_without_the_heading_of_the_name_is_refused_as_a_whole():
    for headings in ("Ort;Art", "Träger;name", ""):
        with pytest.raises(BadFile, match="import-headings"):
            csv(headings=headings)


def workbook(*rows: tuple[object, ...], headings: str = HEADINGS) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for values in (tuple(headings.split(";")), *rows):
        sheet.append(list(values))
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def excel(*rows: tuple[object, ...], headings: str = HEADINGS) -> Gathered:
    return read_workbook(workbook(*rows, headings=headings), COUNTY, TODAY)


def cells(**other: str) -> tuple[object, ...]:
    return tuple(one.strip('"') or None for one in row(**other).split(";"))


def test_an_excel_file_says_what_the_same_table_says_in_csv_whatever_its_cells_are():
    as_day = (*cells()[:-1], datetime(2016, 5, 31, 12, 0))  # noqa: DTZ001 - as Excel keeps a day
    ends_early, runs_on, nothing = cells()[:-1], (*cells(), None, " "), (None,) * 8
    gathered = excel(as_day, nothing, runs_on)
    assert put(gathered) == put(csv(row(), row()))
    assert wrong(gathered) == []
    assert put(excel(ends_early))[1].as_of is None
    a_number = excel((*cells()[:4], 49324), headings="Träger;E-Mail;Standort;Ort;PLZ")
    assert wrong(a_number) == []


def test_of_an_excel_file_a_bad_row_is_named_as_excel_counts_it_and_the_good_ones_go_in():
    gathered = excel(cells(), (None,), cells(**{"E-Mail": "nobody"}), (*cells(), "beside the table"))
    assert wrong(gathered) == [(4, "E-Mail", "email"), (5, "", "cells")]
    assert len(put(gathered)) == 2


def test_an_excel_file_that_cannot_be_read_is_refused_as_a_whole():
    for broken in (workbook(cells())[:-200], b"PK\x03\x04 and no more"):
        with pytest.raises(BadFile, match="import-no-workbook"):
            read_workbook(broken, COUNTY, TODAY)


FULL = {
    "code": "vhs", "name": "Volkshochschule", "description": "Kurse", "email": "info@vhs.example",
    "phone": "05422 12", "website": "https://vhs.example", "legal_status": "e.V.", "site_code": "melle",
    "site": "Haus Melle", "district": MELLE, "street": "Markt 1", "postal_code": "49324", "city": "Melle",
    "latitude": "52,2", "longitude": "8.3", "accessibility": "stufenlos", "contact_function": "Anmeldung",
    "contact_name": "Erika Beispiel", "contact_email": "a@vhs.example", "contact_phone": "05422 13",
    "service_code": "course", "kind": COURSE, "service": "Integrationskurs", "service_en": "Integration course",
    "service_description": "600 Stunden", "languages": "deu", "fees": "keine", "application_process": "Anrufen",
    "as_of": "2016-05-31",
}  # fmt: skip


@pytest.mark.parametrize("headings", [[*COLUMNS], [*COLUMNS.values()]])
def test_every_column_is_read_under_its_german_and_its_english_heading(headings: list[str]):
    assert [*FULL] == [*COLUMNS]
    gathered = csv(";".join(FULL.values()), headings=";".join(headings))
    assert wrong(gathered) == []
    partner, service = put(gathered)
    told = json.dumps([partner.model_dump(mode="json"), service.model_dump(mode="json")], ensure_ascii=False)
    for value in FULL.values():
        assert json.dumps(value, ensure_ascii=False).strip('"').replace("52,2", "52.2") in told


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_a_table_is_read_however_a_spreadsheet_saved_it(encoding: str, separator: str):
    text = separator.join(("Träger", "Ort")) + "\n" + separator.join(("Bürgerhaus", "Melle")) + "\n"
    (partner,) = put(read_csv(text.encode(encoding), COUNTY, TODAY))
    assert (partner.partner, partner.entry.name) == ("buergerhaus", "Bürgerhaus")


@given(st.binary(max_size=400))
def test_whatever_a_file_holds_it_is_read_or_refused_and_nothing_else(content: bytes):
    for read in (read_csv, read_hsds):
        for whole in (content, HEADINGS.encode() + b"\n" + content):
            with suppress(BadFile):
                gathered = read(whole, COUNTY, TODAY)
                assert {one.code for one in gathered.wrong} <= CODES
                put(gathered)


CODES = {
    "missing", "text-length", "email", "phone", "website", "code", "postal-code", "degrees", "half-a-point", "kind",
    "language", "district", "day", "day-to-come", "contradiction", "too-many-parts", "cells", "form", "organization",
    "refused",
}  # fmt: skip


def test_everything_that_may_be_wrong_is_told_with_a_remedy_in_both_languages():
    for code in CODES:
        for language in LANGUAGES:
            for part in ("wrong", "remedy"):
                assert CATALOGUE.text(language, f"import.{code}.{part}").endswith(".")


@given(st.text(min_size=1, max_size=30), st.sampled_from(("", " e.V.", "  ")))
def test_a_code_made_of_a_name_is_always_the_same_however_it_is_written(name: str, ending: str):
    try:
        made = code_from(name)
    except ValueError:
        return
    assert code_from(name.upper().lower() + ending) == code_from(name.lower())
    assert made == code_from(name)
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


# --- HSDS ---------------------------------------------------------------------------------------------------------------------

FOREIGN: dict[str, Any] = {
    "id": "0b5d3a54-8a55-4bb4-9c3f-8f2a3a2b1c01",
    "name": "Beratung",
    "status": "active",
    "organization": {"id": "0b5d3a54-8a55-4bb4-9c3f-8f2a3a2b1c02", "name": "Beratungsstelle", "description": "Rat", "x": 1},
    "attributes": [
        {
            "id": "0b5d3a54-8a55-4bb4-9c3f-8f2a3a2b1c03",
            "taxonomy_term": {"id": "1", "name": "Migration counselling", "description": "", "code": "4.2"},
        }
    ],
    "service_at_locations": [
        {
            "id": "0b5d3a54-8a55-4bb4-9c3f-8f2a3a2b1c04",
            "location": {
                "id": "0b5d3a54-8a55-4bb4-9c3f-8f2a3a2b1c05",
                "location_type": "physical",
                "addresses": [
                    {
                        "id": "0b5d3a54-8a55-4bb4-9c3f-8f2a3a2b1c06", "address_1": "Markt 1", "city": "Melle",
                        "state_province": "NI", "postal_code": "49324", "country": "DE", "address_type": "physical",
                    }
                ],
            },
        }
    ],
}  # fmt: skip


def hsds(told: object) -> Gathered:
    return read_hsds(json.dumps(told).encode(), COUNTY, TODAY)


def test_a_list_of_services_by_somebody_else_is_read_with_their_organisations_and_places():
    named = json.loads(
        json.dumps(FOREIGN).replace("Migration counselling", label(ServiceKind.MIGRATION_COUNSELLING, "en"))
    )
    gathered = hsds([named])
    partner, service = put(gathered)
    assert wrong(gathered) == []
    assert (partner.partner, partner.entry.name) == (f"hsds-{FOREIGN['organization']['id']}", "Beratungsstelle")
    assert partner.entry.sites[0].district == MELLE
    assert (service.entry.kind, service.as_of) == (ServiceKind.MIGRATION_COUNSELLING, None)
    assert len(service.entry.sites) == 1


def test_of_a_list_each_bad_object_is_named_with_its_number_and_its_field():
    nameless = {name: value for name, value in FOREIGN.items() if name != "name"}
    gone = {**FOREIGN, "status": "inactive"}
    without = {**FOREIGN, "organization": None, "attributes": []}
    gathered = hsds({"services": [nameless, gone, without, 5]})
    assert wrong(gathered) == [
        (1, "services.name", "missing"),
        (3, "services.organization_id", "organization"),
        (3, "services.attributes", "missing"),
        (4, "services.", "form"),
    ]


def test_what_is_no_directory_is_refused_as_a_whole():
    for told, code in ((b"{", "import-no-json"), (b"{}", "import-no-hsds"), (b'"text"', "import-no-hsds")):
        with pytest.raises(BadFile, match=code):
            read_hsds(told, COUNTY, TODAY)


# --- over the wire ------------------------------------------------------------------------------------------------------------


async def send(client: httpx.AsyncClient, content: bytes) -> dict[str, Any]:
    answer = await client.post("/v1/directory/imports", content=content)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def stored(house: House) -> list[Any]:
    raw = house.running.database.raw
    return [await raw[name].find({}).sort("_id", 1).to_list(None) for name in ("partners", "services")]


@pytest.mark.asyncio(loop_scope="package")
async def test_what_was_exported_is_read_in_again_and_changes_nothing(house: House):
    await fill(house)
    second = {
        **A_COURSE,
        "kind": "lotse",
        "name": {"de": "Lotsen", "en": "Guides"},
        "description": {"de": "a", "en": "b"},
    }
    more = {"code": "more", "entry": {**VHS, "email": None}, "services": [{"code": "lotsen", "entry": second}]}
    async with house.client(Role.COORDINATOR) as coordinator:
        await coordinator.post("/v1/directory/partners", json={"partners": [more]}, headers=key())
        before = await stored(house)
        exported = (await coordinator.get("/hsds/export")).content
        answer = await send(coordinator, exported)
        assert answer == {"partners": 2, "services": 2, "problems": []}
        assert await stored(house) == before
        await house.empty()
        await send(coordinator, exported)
        (vhs,) = [
            one for one in (await coordinator.get("/v1/directory/partners")).json()["items"] if one["code"] == "vhs"
        ]
    assert PartnerEntry.model_validate(vhs["entry"]) == entry()
    assert vhs["services"][0]["entry"] == {**A_COURSE, "description": {**A_COURSE["description"], "en": None}}
    assert vhs["services"][0]["confirmed_on"] == "2016-06-01"
    assert vhs["agreement"] is None


@pytest.mark.asyncio(loop_scope="package")
async def test_a_table_goes_in_and_again_changes_nothing_and_says_in_words_what_is_wrong(house: House):
    content = "\n".join((HEADINGS, row(), row(Art="Tanzkurs"))).encode()
    async with house.client(Role.COORDINATOR) as coordinator, house.client(Role.COORDINATOR, language="de") as german:
        answer = await send(coordinator, content)
        before = await stored(house)
        again = await send(german, content)
        assert await stored(house) == before
        assert (answer["partners"], answer["services"]) == (again["partners"], again["services"]) == (1, 1)
        (fault,), (fehler,) = answer["problems"], again["problems"]
        assert (fault["line"], fault["column"]) == (3, "Art")
        assert fault["wrong"] == "This kind of service is not known here."
        assert fehler["wrong"] == "Diese Art von Leistung ist hier nicht bekannt."
        assert await send(coordinator, workbook(cells(), cells(Art="Tanzkurs"))) == answer
        assert await stored(house) == before
        refused = await coordinator.post("/v1/directory/imports", content=b"Ort\nMelle\n")
        assert refused.json()["code"] == "import-headings"
    async with house.client(Role.PARTNER, "vhs") as partner:
        assert (await partner.post("/v1/directory/imports", content=content)).status_code == 403
