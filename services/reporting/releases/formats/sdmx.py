"""SDMX: data messages in SDMX-CSV 2.0 (a file for each table) and SDMX-JSON 2.0 (all in one), in the terms of the cross-domain code lists.

`FREQ` (CL_FREQ), `TIME_PERIOD`, the dimensions of the table in capitals, `OBS_VALUE` and `OBS_STATUS` (CL_OBS_STATUS). The total of a
dimension is `_T`. The structures are named by their table: `WEGENETZ:NEEDS(1.0)`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from schemas.labels import Label
from services.reporting.disclosure.sets import ALL, span_of
from services.reporting.releases.codes import words
from services.reporting.releases.content import Content, Status, TableContent
from services.reporting.releases.formats.cubes import DIMENSION_TITLES, FREQUENCY
from services.reporting.tables import DECLARED
from services.runtime.calendar import berlin_instant

AGENCY: Final = "WEGENETZ"
VERSION: Final = "1.0"
ALL_TOGETHER: Final = "_T"

_STATUS: Final = {
    Status.NORMAL: Label(de="normal", en="normal value"),
    Status.PROVISIONAL: Label(de="vorläufig", en="provisional value"),
    Status.CONFIDENTIAL: Label(de="nicht gezeigt", en="not shown"),
}
_FREQUENCIES: Final = {
    "M": Label(de="monatlich", en="monthly"),
    "Q": Label(de="vierteljährlich", en="quarterly"),
    "A": Label(de="jährlich", en="annual"),
}


def identifier(name: str) -> str:
    """A name of ours as an identifier of SDMX: ``wait-reason`` is ``WAIT_REASON``."""
    return name.upper().replace("-", "_")


def code(value: str) -> str:
    """A value as a code of SDMX, which has neither a plus nor a star: ``55+`` is ``55_PLUS``."""
    return ALL_TOGETHER if value == ALL else value.replace("+", "_PLUS")


def sdmx_csv(content: Content, table: TableContent) -> bytes:
    """One table as SDMX-CSV 2.0."""
    dimensions = DECLARED.tables[table.name].dimensions
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(
        [
            "STRUCTURE",
            "STRUCTURE_ID",
            "ACTION",
            "FREQ",
            *map(identifier, dimensions),
            "TIME_PERIOD",
            "OBS_VALUE",
            "OBS_STATUS",
        ]
    )
    structure = ["dataflow", f"{AGENCY}:{identifier(table.name)}({VERSION})", "I"]
    for one in table.observations:
        figure = "" if one.figure is None else one.figure
        by = [FREQUENCY[span_of(one.period)], *map(code, one.values), one.period]
        lines.writerow([*structure, *by, figure, content.status(one).value])
    return text.getvalue().encode()


def sdmx_json(content: Content) -> bytes:
    """All tables as one data message of SDMX-JSON 2.0: a structure and a data set for each."""
    message: dict[str, Any] = {
        "meta": {
            "schema": "https://json.sdmx.org/2.0.0/sdmx-json-data-schema.json",
            "id": f"{content.county}-{content.name}",
            "prepared": berlin_instant(content.issue.due_on).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "test": False,
            "contentLanguages": ["de", "en"],
            "sender": {"id": AGENCY, "name": "Wegenetz", "names": {"de": "Wegenetz", "en": "Wegenetz"}},
        },
        "data": {
            "structures": [_structure(content, number, table) for number, table in enumerate(content.tables)],
            "dataSets": [_data_set(content, number, table) for number, table in enumerate(content.tables)],
        },
    }
    return json.dumps(message, ensure_ascii=False).encode()


def _structure(content: Content, number: int, table: TableContent) -> dict[str, Any]:
    declared = DECLARED.tables[table.name]
    return {
        "links": _links(table),
        **_named(declared.title),
        "dimensions": {
            "observation": [
                {"id": id, "keyPosition": place, **_named(title), "values": list(values)}
                for place, (id, title, values) in enumerate(_dimensions(content, table))
            ]
        },
        "measures": {"observation": [{"id": "OBS_VALUE", **_named(Label(de="Zahl", en="figure"))}]},
        "attributes": {
            "observation": [
                {
                    "id": "OBS_STATUS",
                    **_named(Label(de="Status", en="status")),
                    "relationship": {"observation": {}},
                    "values": [{"id": status.value, **_named(label)} for status, label in _STATUS.items()],
                }
            ]
        },
        "dataSets": [number],
    }


def _links(table: TableContent) -> list[dict[str, str]]:
    flow = f"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={AGENCY}:{identifier(table.name)}({VERSION})"
    return [{"rel": "dataflow", "urn": flow}]


def _dimensions(content: Content, table: TableContent) -> Iterator[tuple[str, Label, Iterable[dict[str, Any]]]]:
    """Id, words and values of each dimension, in the order of keys."""
    frequencies = dict.fromkeys(FREQUENCY[span_of(one.period)] for one in table.observations)
    yield (
        "FREQ",
        Label(de="Häufigkeit", en="frequency"),
        [{"id": one, **_named(_FREQUENCIES[one])} for one in frequencies],
    )
    for place, dimension in enumerate(DECLARED.tables[table.name].dimensions):
        values = dict.fromkeys(one.values[place] for one in table.observations)
        described = [{"id": code(value), **_named(words(dimension, value, content.county))} for value in values]
        yield identifier(dimension), DIMENSION_TITLES[dimension], described
    periods = dict.fromkeys(one.period for one in table.observations)
    yield "TIME_PERIOD", Label(de="Zeitraum", en="period"), [{"id": one, "value": one} for one in periods]


def _data_set(content: Content, number: int, table: TableContent) -> dict[str, Any]:
    places = [
        {value["id"]: place for place, value in enumerate(values)} for _, _, values in _dimensions(content, table)
    ]
    statuses = list(_STATUS)
    observations: dict[str, list[int | None]] = {}
    for one in table.observations:
        by = (FREQUENCY[span_of(one.period)], *map(code, one.values), one.period)
        key = ":".join(str(place[value]) for place, value in zip(places, by, strict=True))
        observations[key] = [one.figure, statuses.index(content.status(one))]
    return {
        "structure": number,
        "action": "Information",
        "links": _links(table),
        "observations": observations,
    }


def _named(label: Label) -> dict[str, Any]:
    return {"name": label.de, "names": {"de": label.de, "en": label.en}}
