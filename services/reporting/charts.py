"""An indicator's figures over the years as a picture (SVG), drawn on the server from a Vega-Lite description.

Official figures and our own are told apart by shape and by words, not by colour alone. A year without a figure is a gap in the line. The
table and the sentence beside it on the page say the same in words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

WIDTH: Final = 640
HEIGHT: Final = 260
"""Pixels at full size; the page scales it."""

_FONT: Final = "Fira Sans, Arial, sans-serif"
INK: Final = "#171a2b"
_COLOURS: Final = ("#1a3d8f", "#a3460a")
_SHAPES: Final = ("circle", "diamond")


@dataclass(frozen=True, slots=True)
class Line:
    """What is drawn as one line: its name, and the value of each year; None is a gap."""

    name: str
    values: Mapping[int, float | None]


def description(lines: Sequence[Line], unit: str, language: str) -> dict[str, Any]:
    """The picture as Vega-Lite 5 understands it."""
    years = [year for line in lines for year in line.values]
    every = range(min(years), max(years) + 1)
    rows = [{"year": str(year), "value": line.values.get(year), "who": line.name} for line in lines for year in every]
    names = [line.name for line in lines]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "background": "white",
        "data": {"values": rows},
        "mark": {"type": "line", "invalid": "break-paths-show-domains", "point": {"size": 80, "filled": True}},
        "encoding": {
            "x": {"field": "year", "type": "ordinal", "title": None, "axis": {"labelAngle": 0}},
            "y": {"field": "value", "type": "quantitative", "title": unit, "scale": {"zero": True}},
            "color": {
                "field": "who",
                "type": "nominal",
                "title": None,
                "sort": None,
                "scale": {"domain": names, "range": list(_COLOURS[: len(names)])},
            },
            "shape": {
                "field": "who",
                "type": "nominal",
                "title": None,
                "sort": None,
                "scale": {"domain": names, "range": list(_SHAPES[: len(names)])},
            },
        },
        "config": config(language),
    }


def config(language: str) -> dict[str, Any]:
    """The look of all pictures, and how numbers are written."""
    return {
        "font": _FONT,
        "locale": {"number": _NUMBERS[language]},
        "axis": {"labelColor": INK, "titleColor": INK, "labelFontSize": 14, "titleFontSize": 14},
        "legend": {
            "labelColor": INK,
            "labelFontSize": 14,
            "titleColor": INK,
            "titleFontSize": 14,
            "orient": "bottom",
            "labelLimit": 500,
        },
        "view": {"stroke": None},
    }


_NUMBERS: Final = {
    "de": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " €"]},
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["€", ""]},
}


async def drawn(lines: Sequence[Line], unit: str, language: str) -> bytes:
    """The picture as SVG. The first one of a process takes about a second, later ones a twentieth: on a thread of its own."""
    told = description(lines, unit, language)
    return (await asyncio.to_thread(svg, told)).encode()


def svg(told: dict[str, Any]) -> str:
    """Draw it: takes a twentieth of a second and more, so never on the event loop."""
    import vl_convert  # noqa: PLC0415 - a large library, for whoever looks at pictures

    make = cast("Any", vl_convert).vegalite_to_svg
    return str(make(told, vl_version="5.21", allowed_base_urls=[]))
