"""The catalogue: valid by the official shapes of DCAT-AP.de, the same in both forms, and true of the files that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from rdflib import DCAT, DCTERMS, RDF, Graph, Literal, URIRef
from rdflib.compare import isomorphic

from schemas.codes import Role
from services.reporting.releases.calendar import Issue
from services.reporting.releases.catalogue.entries import entries
from services.reporting.releases.catalogue.rdf import Iri, Node, Words, json_ld, turtle
from services.reporting.releases.model import File, Release
from services.reporting.releases.negotiating import wanted
from services.reporting.releases.publishing import Publisher as Press
from services.runtime.publisher import Publisher
from tests.reporting.county import COUNTY, arrival, id_of
from tests.reporting.office import OTHER_COUNTY, Office, Sender

SHAPES = Path(__file__).with_name("dcat_ap")
WHO = Publisher(
    name="Landkreis Osnabrück",
    homepage="https://county.example.org",
    email="figures@county.example.org",
    contributor="http://dcat-ap.de/def/contributors/example",
)
FILES = (
    "content.json",
    "figures.csv",
    "figures.csv-metadata.json",
    "datapackage.json",
    "figures.parquet",
    "figures.xlsx",
    "figures.en.xlsx",
    "figures.jsonstat.json",
    "figures.sdmx.json",
    "needs.sdmx.csv",
)


def released(issue: Issue) -> Release:
    files = tuple(File(name=name, media_type="text/plain", size=3, sha256="ab" * 32) for name in FILES)
    at = datetime(2017, 4, 1, 9, tzinfo=UTC)
    return Release(id=issue.name, kind=issue.kind, period=issue.period, published_at=at, files=files)


RELEASES = [
    released(one) for one in (Issue("monthly", "2016-05"), Issue("quarterly", "2016-Q2"), Issue("yearly", "2016"))
]


def told(publisher: Publisher = WHO) -> Iterator[Node]:
    return entries(COUNTY, RELEASES, publisher, "https://reporting.example.org")


@cache
def shapes() -> Graph:
    found = Graph()
    for file in SHAPES.glob("*.ttl"):
        found.parse(file)
    return found


def complaints(graph: Graph) -> str:
    """What the shapes find, warnings included; nothing if all is well."""
    conforms, _, text = pyshacl.validate(graph, shacl_graph=shapes(), allow_infos=True)
    return "" if conforms else str(text)


def graph() -> Graph:
    return Graph().parse(data=turtle(told()), format="turtle")


@pytest.mark.parametrize("publisher", [WHO, Publisher()], ids=["with all settings", "with none"])
def test_the_catalogue_is_valid_by_the_official_shapes(publisher: Publisher) -> None:
    assert complaints(Graph().parse(data=turtle(told(publisher)), format="turtle")) == ""


@pytest.mark.parametrize(
    ("left_out", "said"),
    [(DCTERMS.license, "dcterms:license"), (DCTERMS.publisher, "dcterms:publisher"), (DCTERMS.title, "dcterms:title")],
)
def test_the_shapes_find_what_is_missing(left_out: URIRef, said: str) -> None:
    broken = graph()
    broken.remove((None, left_out, None))
    assert said in complaints(broken)


def test_both_forms_say_the_same() -> None:
    assert isomorphic(Graph().parse(data=json_ld(told()), format="json-ld"), graph())
    assert turtle(told()) == turtle(told())


def test_words_with_marks_of_the_language_are_read_as_they_are() -> None:
    hard = 'A "quoted" \\ backslash,\na line, „Umlaut“ ä\t€'
    node = Node(
        "dcat:Dataset",
        (("dcterms:title", Words(hard, "de")), ("dcat:landingPage", Iri("https://a.example/a b>"))),
        "https://a.example/1",
    )
    read = Graph().parse(data=turtle([node]), format="turtle")
    assert str(read.value(URIRef("https://a.example/1"), DCTERMS.title)) == hard
    assert str(read.value(URIRef("https://a.example/1"), DCAT.landingPage)) == "https://a.example/a%20b%3E"


def test_an_entry_says_when_where_and_by_what_licence() -> None:
    read, dataset = graph(), URIRef("https://reporting.example.org/v1/releases/2016-Q2-final")
    period = read.value(dataset, DCTERMS.temporal)
    assert (str(read.value(period, DCAT.startDate)), str(read.value(period, DCAT.endDate))) == (
        "2016-04-01",
        "2016-06-30",
    )
    assert read.value(dataset, DCTERMS.spatial) == URIRef("http://dcat-ap.de/def/politicalGeocoding/districtKey/03459")
    assert {one.language for one in read.objects(dataset, DCTERMS.title) if isinstance(one, Literal)} == {"de", "en"}
    files = list(read.objects(dataset, DCAT.distribution))
    assert len(files) == len(FILES)
    assert {str(read.value(one, DCTERMS.license)) for one in files} == {"http://dcat-ap.de/def/licenses/dl-by-de/2.0"}
    formats = {str(read.value(one, DCTERMS["format"])).rpartition("/")[2] for one in files}
    assert formats == {"CSV", "JSON", "PARQUET", "XLSX"}


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/ld+json"),
        ("*/*", "application/ld+json"),
        ("text/turtle", "text/turtle"),
        ("application/ld+json;q=0.3, text/*;q=0.9", "text/turtle"),
        ("text/turtle;q=0, */*", "application/ld+json"),
        ("nonsense;q=x", "application/ld+json"),
    ],
)
def test_the_form_is_the_one_asked_for_most(accept: str | None, form: str) -> None:
    assert wanted(accept, ["application/ld+json", "text/turtle"]) == form


@pytest.mark.asyncio(loop_scope="module")
async def test_whoever_follows_the_catalogue_finds_the_files_with_their_checksums(office: Office) -> None:
    sender = Sender()
    await office.take([sender.record(id_of(f"person {number}"), arrival()) for number in range(30)])
    await Press(office.running).publish(COUNTY, Issue("quarterly", "2016-Q1"))
    client = office.client(Role.REPORTER)
    answer = await client.get("/v1/catalogue", headers={"accept": "text/turtle"})
    assert answer.headers["content-type"].startswith("text/turtle")
    read = Graph().parse(data=answer.content, format="turtle")
    assert complaints(read) == ""
    files = list(read.subjects(RDF.type, DCAT.Distribution))
    listed = (await client.get("/v1/releases/2016-Q1-final")).json()["files"]
    assert len(files) == len(listed)
    spdx = "http://spdx.org/rdf/terms#"
    for one in files:
        checksum: Any = read.value(one, URIRef(f"{spdx}checksum"))
        content = (await client.get(str(read.value(one, DCAT.downloadURL)))).content
        assert str(read.value(checksum, URIRef(f"{spdx}checksumValue"))).lower() == hashlib.sha256(content).hexdigest()
    same = await client.get("/v1/catalogue?format=turtle", headers={"if-none-match": answer.headers["etag"]})
    assert same.status_code == 304
    assert (await client.get("/v1/catalogue")).json()["@graph"][0]["@type"] == "dcat:Catalog"
    elsewhere = await office.client(Role.REPORTER, county=OTHER_COUNTY).get("/v1/catalogue?format=turtle")
    assert not list(Graph().parse(data=elsewhere.content, format="turtle").subjects(RDF.type, DCAT.Dataset))
