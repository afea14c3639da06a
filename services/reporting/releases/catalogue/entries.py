"""What the catalogue says: DCAT-AP.de 3.0 (https://www.dcat-ap.de/def/dcatde/3.0/spec/). Pure.

A county is a catalogue. Each kind of release (monthly, quarterly, yearly) is a series; each release a dataset of it; each file of a
release a distribution with its checksum. What a release is about does not change, so neither does its entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from schemas.labels import Label
from services.reporting.coarsening import first_day_after
from services.reporting.disclosure.sets import Span
from services.reporting.releases.calendar import months_of
from services.reporting.releases.catalogue.rdf import Iri, Node, Typed, Value, Words, in_both
from services.reporting.releases.model import File, Release
from services.reporting.releases.wording import METHOD, county_name, title
from services.reporting.tables import DECLARED
from services.runtime.publisher import Publisher

LICENCE: Final = "http://dcat-ap.de/def/licenses/dl-by-de/2.0"
_EU: Final = "http://publications.europa.eu/resource/authority"
_IANA: Final = "https://www.iana.org/assignments/media-types"
_SHA256: Final = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"

LANGUAGES: Final = (Iri(f"{_EU}/language/DEU"), Iri(f"{_EU}/language/ENG"))
_FREQUENCY: Final = {Span.MONTH: "MONTHLY", Span.QUARTER: "QUARTERLY", Span.YEAR: "ANNUAL"}

_SERIES: Final = {
    Span.MONTH: Label(de="monatliche Zahlen zur Integration", en="monthly figures on integration"),
    Span.QUARTER: Label(de="vierteljährliche Zahlen zur Integration", en="quarterly figures on integration"),
    Span.YEAR: Label(de="jährliche Zahlen zur Integration", en="yearly figures on integration"),
}
_KEYWORDS: Final = (
    Label(de="Integration", en="integration"),
    Label(de="Zuwanderung", en="immigration"),
    Label(de="Statistik", en="statistics"),
)


class _Format(NamedTuple):
    """A code of the file types of the EU, a media type that IANA lists, and what people call it."""

    code: str
    media_type: str
    words: Label


_FORMATS: Final = {
    ".csv-metadata.json": _Format("JSON", "application/csvm+json", Label(de="CSVW-Metadaten", en="CSVW metadata")),
    "datapackage.json": _Format("JSON", "application/json", Label(de="Datenpaket", en="data package")),
    ".jsonstat.json": _Format("JSON", "application/json", Label(de="JSON-stat 2.0", en="JSON-stat 2.0")),
    ".sdmx.json": _Format("JSON", "application/json", Label(de="SDMX-JSON 2.0", en="SDMX-JSON 2.0")),
    ".sdmx.csv": _Format("CSV", "text/csv", Label(de="SDMX-CSV 2.0", en="SDMX-CSV 2.0")),
    "figures.csv": _Format("CSV", "text/csv", Label(de="CSV, eine Zahl je Zeile", en="CSV, a figure a line")),
    ".parquet": _Format("PARQUET", "application/vnd.apache.parquet", Label(de="Parquet", en="Parquet")),
    ".en.xlsx": _Format(
        "XLSX",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Label(de="Excel, auf Englisch", en="Excel, in English"),
    ),
    ".xlsx": _Format(
        "XLSX",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Label(de="Excel, auf Deutsch", en="Excel, in German"),
    ),
    "content.json": _Format("JSON", "application/json", Label(de="JSON mit Änderungen", en="JSON with changes")),
}
"""By the end of a file's name; the first that fits counts."""


def entries(county: str, releases: Sequence[Release], publisher: Publisher, base: str) -> Iterator[Node]:
    """Everything that the catalogue says of a county's releases. `base` is the address of the service, without a slash at its end."""
    series = dict.fromkeys(release.kind for release in releases)
    told = _Telling(county, publisher, base)
    yield told.catalogue(releases)
    yield told.publisher()
    yield told.place()
    for kind in series:
        yield told.series(kind)
    for release in releases:
        yield told.dataset(release)
        for file in release.files:
            yield told.distribution(release, file)


class _Telling:
    """One catalogue: what all its entries have in common."""

    def __init__(self, county: str, publisher: Publisher, base: str) -> None:
        self._county = county
        self._who = publisher
        self._base = base
        self._address = f"{base}/v1/catalogue"
        self._name = publisher.name or county_name(county)

    def catalogue(self, releases: Iterable[Release]) -> Node:
        name = county_name(self._county)
        about = Label(
            de="Veröffentlichte Zahlen zur Integration: Ankünfte, Bedarfe, Angebote und Vermittlungen, geschützt durch die "
            "Cell-Key-Methode.",
            en="Published figures on integration: arrivals, needs, offers and referrals, protected by the cell key method.",
        )
        said: list[tuple[str, Value]] = [
            *in_both(
                "dcterms:title", Label(de=f"{name}: Zahlen zur Integration", en=f"{name}: figures on integration")
            ),
            *in_both("dcterms:description", about),
            ("dcterms:publisher", Iri(self._agent)),
            ("dcterms:license", Iri(LICENCE)),
            ("dcterms:spatial", Iri(self._place)),
            ("dcat:themeTaxonomy", Iri(f"{_EU}/data-theme")),
            *(("dcterms:language", language) for language in LANGUAGES),
            *(("dcat:dataset", Iri(self._dataset(release))) for release in releases),
        ]
        if self._who.homepage:
            said.append(("foaf:homepage", Iri(self._who.homepage)))
        return Node("dcat:Catalog", tuple(said), self._address)

    def publisher(self) -> Node:
        said: list[tuple[str, Value]] = [("foaf:name", self._name)]
        if self._who.homepage:
            said.append(("foaf:homepage", Iri(self._who.homepage)))
        return Node("foaf:Agent", tuple(said), self._agent)

    def place(self) -> Node:
        return Node("dcterms:Location", (("rdfs:label", county_name(self._county)),), self._place)

    def series(self, kind: str) -> Node:
        span = DECLARED.releases[kind].of
        name, words = county_name(self._county), _SERIES[span]
        label = Label(de=f"{name}: {words.de}", en=f"{name}: {words.en}")
        said: tuple[tuple[str, Value], ...] = (
            *in_both("dcterms:title", label),
            *in_both("dcterms:description", label),
            ("dcterms:publisher", Iri(self._agent)),
            ("dcterms:accrualPeriodicity", Iri(f"{_EU}/frequency/{_FREQUENCY[span]}")),
            ("dcterms:spatial", Iri(self._place)),
            *self._contact(),
        )
        return Node("dcat:DatasetSeries", said, self._series(kind))

    def dataset(self, release: Release) -> Node:
        tables = [DECLARED.tables[name].title for name in DECLARED.extents(release.kind)]
        about = Label(
            de=f"Tabellen: {'; '.join(table.de for table in tables)}.",
            en=f"Tables: {'; '.join(table.en for table in tables)}.",
        )
        method = Label(
            de=" ".join(paragraph.de for paragraph in METHOD), en=" ".join(paragraph.en for paragraph in METHOD)
        )
        issued = _instant(release.published_at)
        said: list[tuple[str, Value]] = [
            *in_both("dcterms:title", title(self._county, release.issue)),
            *in_both("dcterms:description", about),
            ("dcterms:identifier", f"{self._county}/{release.issue.name}"),
            ("dcterms:publisher", Iri(self._agent)),
            ("dcat:inSeries", Iri(self._series(release.kind))),
            ("dcat:theme", Iri(f"{_EU}/data-theme/SOCI")),
            ("dcterms:type", Iri(f"{_EU}/dataset-type/STATISTICAL")),
            ("dcterms:accessRights", Iri(f"{_EU}/access-right/RESTRICTED")),
            ("dcterms:spatial", Iri(self._place)),
            (
                "dcatde:politicalGeocodingLevelURI",
                Iri("http://dcat-ap.de/def/politicalGeocoding/Level/administrativeDistrict"),
            ),
            ("dcterms:temporal", _temporal(release.period)),
            ("dcterms:issued", issued),
            ("dcterms:modified", issued),
            ("dcat:landingPage", Iri(self._dataset(release))),
            ("dcterms:provenance", Node("dcterms:ProvenanceStatement", tuple(in_both("rdfs:label", method)))),
            *(("dcterms:language", language) for language in LANGUAGES),
            *(one for keyword in _KEYWORDS for one in in_both("dcat:keyword", keyword)),
            *self._contact(),
            *(("dcat:distribution", Iri(self._distribution(release, file))) for file in release.files),
        ]
        if self._who.contributor:
            said.append(("dcatde:contributorID", Iri(self._who.contributor)))
        return Node("dcat:Dataset", tuple(said), self._dataset(release))

    def distribution(self, release: Release, file: File) -> Node:
        format = _format(file.name)
        table = file.name.removesuffix(".sdmx.csv")
        words = format.words
        if table in DECLARED.tables:
            of = DECLARED.tables[table].title
            words = Label(de=f"{of.de} ({words.de})", en=f"{of.en} ({words.en})")
        issued = _instant(release.published_at)
        checksum = Node(
            "spdx:Checksum",
            (("spdx:algorithm", Iri(_SHA256)), ("spdx:checksumValue", Typed(file.sha256, "xsd:hexBinary"))),
        )
        said: tuple[tuple[str, Value], ...] = (
            *in_both("dcterms:title", words),
            ("dcat:accessURL", Iri(self._dataset(release))),
            ("dcat:downloadURL", Iri(f"{self._dataset(release)}/{file.name}")),
            ("dcterms:format", Iri(f"{_EU}/file-type/{format.code}")),
            ("dcat:mediaType", Iri(f"{_IANA}/{format.media_type}")),
            ("dcat:byteSize", Typed(str(file.size), "xsd:nonNegativeInteger")),
            ("dcterms:license", Iri(LICENCE)),
            ("dcatde:licenseAttributionByText", Words(self._name, "de")),
            *(("dcterms:language", language) for language in LANGUAGES),
            ("dcterms:issued", issued),
            ("spdx:checksum", checksum),
        )
        return Node("dcat:Distribution", said, self._distribution(release, file))

    def _contact(self) -> Iterator[tuple[str, Value]]:
        """Whom to ask, if the settings say so."""
        if self._who.email is not None or self._who.contact_page is not None:
            said: list[tuple[str, Value]] = [("vcard:fn", self._who.contact or self._name)]
            if self._who.email is not None:
                said.append(("vcard:hasEmail", Iri(f"mailto:{self._who.email}")))
            if self._who.contact_page is not None:
                said.append(("vcard:hasURL", Iri(self._who.contact_page)))
            yield "dcat:contactPoint", Node("vcard:Kind", tuple(said))

    @property
    def _agent(self) -> str:
        return f"{self._address}#publisher"

    @property
    def _place(self) -> str:
        """The county in the list of counties of DCAT-AP.de, by its key (ARS of five digits)."""
        return f"http://dcat-ap.de/def/politicalGeocoding/districtKey/{self._county}"

    def _series(self, kind: str) -> str:
        return f"{self._address}#{kind}"

    def _dataset(self, release: Release) -> str:
        return f"{self._base}/v1/releases/{release.issue.name}"

    def _distribution(self, release: Release, file: File) -> str:
        return f"{self._dataset(release)}/{file.name}#distribution"


def _format(name: str) -> _Format:
    return next((format for end, format in _FORMATS.items() if name.endswith(end)), _FORMATS["content.json"])


def _temporal(period: str) -> Node:
    months = months_of(period)
    last = first_day_after(months[-1]) - timedelta(days=1)
    said = (
        ("dcat:startDate", Typed(f"{months[0]}-01", "xsd:date")),
        ("dcat:endDate", Typed(last.isoformat(), "xsd:date")),
    )
    return Node("dcterms:PeriodOfTime", said)


def _instant(at: datetime | None) -> Typed:
    if at is None:
        raise ValueError("only what was published is in the catalogue")
    return Typed(at.strftime("%Y-%m-%dT%H:%M:%SZ"), "xsd:dateTime")
