"""JSON-stat 2.0 (json-stat.org): a collection with a dataset for each cube. Only what is published is among the values."""

from __future__ import annotations

import json
from typing import Any

from services.reporting.releases.content import Content, Status
from services.reporting.releases.formats.cubes import DIMENSION_TITLES, Cube, cubes

STATUS_WORDS = {Status.PROVISIONAL: "vorläufig", Status.CONFIDENTIAL: "nicht gezeigt"}


def jsonstat(content: Content) -> bytes:
    """All datasets of a release in one collection."""
    collection: dict[str, Any] = {
        "version": "2.0",
        "class": "collection",
        "label": content.name,
        "updated": content.issue.due_on.isoformat(),
        "link": {"item": [_dataset(content, cube) for cube in cubes(content)]},
    }
    return json.dumps(collection, ensure_ascii=False).encode()


def _dataset(content: Content, cube: Cube) -> dict[str, Any]:
    dimensions = [*cube.codes]
    categories: list[list[str]] = [list(cube.periods), *(list(codes) for codes in cube.codes.values())]
    places = [{code: place for place, code in enumerate(codes)} for codes in categories]
    values: dict[str, int] = {}
    statuses: dict[str, str] = {}
    for one in cube.observations:
        index = 0
        for size, place, code in zip(map(len, categories), places, (one.period, *one.values), strict=True):
            index = index * size + place[code]
        if one.figure is not None:
            values[str(index)] = one.figure
        if (status := content.status(one)) is not Status.NORMAL:
            statuses[str(index)] = status.value
    dataset: dict[str, Any] = {
        "version": "2.0",
        "class": "dataset",
        "label": cube.declared.title.de,
        "source": "Wegenetz",
        "updated": content.issue.due_on.isoformat(),
        "id": ["period", *dimensions],
        "size": [len(codes) for codes in categories],
        "role": {"time": ["period"], **({"geo": ["district"]} if "district" in dimensions else {})},
        "dimension": {
            "period": {"label": "Zeitraum", "category": {"index": list(cube.periods)}},
            **{
                dimension: {
                    "label": DIMENSION_TITLES[dimension].de,
                    "category": {"index": list(codes), "label": {code: label.de for code, label in codes.items()}},
                }
                for dimension, codes in cube.codes.items()
            },
        },
        "value": values,
        "extension": {"table": cube.table, "span": cube.span.value, "label_en": cube.declared.title.en},
    }
    if statuses:
        dataset["status"] = statuses
        dataset["extension"]["status_label"] = {status.value: words for status, words in STATUS_WORDS.items()}
    return dataset
