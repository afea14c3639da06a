"""What stands beside `figures.csv` so that programs understand it: CSV on the Web (W3C) and a data package (Frictionless, version 1).

Both say the same of each column; they are made from one description.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, NamedTuple

from schemas.labels import Label
from services.reporting.releases.content import Content, Status
from services.reporting.releases.formats.plain import COLUMNS, FIGURES_FILE, tidy_csv

LICENCE: Final = {
    "name": "dl-de-by-2.0",
    "title": "Datenlizenz Deutschland Namensnennung 2.0",
    "path": "https://www.govdata.de/dl-de/by-2-0",
}
"""The licence of the county's figures: the one that German authorities publish under."""


class Column(NamedTuple):
    """A column of the tidy CSV. `type` is a data type of XML Schema."""

    title: Label
    type: str
    required: bool = True


DESCRIBED: Final[dict[str, Column]] = {
    "table": Column(Label(de="Tabelle", en="table"), "string"),
    "period": Column(
        Label(de="Zeitraum (2016, 2016-Q1 oder 2016-03)", en="period (2016, 2016-Q1 or 2016-03)"), "string"
    ),
    "span": Column(Label(de="Länge des Zeitraums", en="length of the period"), "string"),
    **{
        f"{name}_{place}{ending}": Column(Label(de=f"{place}. {de}", en=f"{en} {place}"), "string", required=place == 1)
        for place in (1, 2)
        for name, ending, de, en in (
            ("dimension", "", "Merkmal", "dimension"),
            ("value", "", "Ausprägung (* ist insgesamt)", "value (* is the total)"),
            ("label", "_de", "Ausprägung auf Deutsch", "value in German"),
            ("label", "_en", "Ausprägung auf Englisch", "value in English"),
        )
    },
    "figure": Column(
        Label(de="Zahl (geschützt; leer, wo nicht gezeigt)", en="figure (protected; empty where not shown)"),
        "integer",
        required=False,
    ),
    "status": Column(Label(de="Status (CL_OBS_STATUS)", en="status (CL_OBS_STATUS)"), "string"),
}

KEY: Final = ("table", "period", "value_1", "value_2")


def csvw(content: Content) -> bytes:
    """The metadata of the CSV, found beside it under the name that the standard gives."""
    described: dict[str, Any] = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "de"}],
        "url": FIGURES_FILE,
        "dc:title": content.name,
        "dc:license": {"@id": LICENCE["path"]},
        "dialect": {"encoding": "utf-8", "delimiter": ",", "header": True, "lineTerminators": ["\n"]},
        "tableSchema": {
            "columns": [
                {
                    "name": name,
                    "titles": {"de": name, "en": name},
                    "dc:description": [
                        {"@value": column.title.de, "@language": "de"},
                        {"@value": column.title.en, "@language": "en"},
                    ],
                    "datatype": column.type,
                    "required": column.required,
                }
                for name, column in DESCRIBED.items()
            ],
            "primaryKey": list(KEY),
        },
    }
    return _json(described)


def datapackage(content: Content) -> bytes:
    """The release as a tabular data package of one resource, with the checksum of its bytes."""
    raw = tidy_csv(content)
    described: dict[str, Any] = {
        "profile": "tabular-data-package",
        "name": f"wegenetz-{content.county}-{content.name}".lower(),
        "title": f"Wegenetz {content.county}: {content.name}",
        "licenses": [LICENCE],
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": "figures",
                "path": FIGURES_FILE,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": len(raw),
                "hash": f"sha256:{hashlib.sha256(raw).hexdigest()}",
                "schema": {
                    "fields": [
                        {
                            "name": name,
                            "type": column.type,
                            "title": column.title.de,
                            "description": column.title.en,
                            "constraints": {"required": column.required}
                            | ({"enum": [status.value for status in Status]} if name == "status" else {}),
                        }
                        for name, column in DESCRIBED.items()
                    ],
                    "missingValues": [""],
                },
            }
        ],
    }
    return _json(described)


def _json(described: dict[str, Any]) -> bytes:
    return json.dumps(described, ensure_ascii=False, indent=1).encode()


if set(DESCRIBED) != set(COLUMNS):
    raise RuntimeError("a column of the CSV is not described")
