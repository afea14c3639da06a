"""The pictures of exhibits (SVG): districts on a map, bars, lines over periods. Drawn on a thread, from what is shown and nothing else.

Colours are told apart by people who see few of them, and never say anything alone: lines differ by shape too, bars have their figures
written beside them, a map its classes in words. What is not published is hatched.
"""

from __future__ import annotations

from typing import Any, Final

from services.reporting.charts import INK, config, svg
from services.reporting.dashboard.exhibits import Shape
from services.reporting.dashboard.maps import Class, classes_of, shapes
from services.reporting.dashboard.telling import Gap, Row, Shown, Teller
from services.reporting.disclosure.sets import Span, span_of
from services.runtime.catalogue import Language

MOST_BARS: Final = 12
"""Of a long list the picture shows the first of those that are not 0; the table has all."""
WIDTH: Final = 420
_COURSE: Final = (560, 240)
_MAP: Final = (560, 430)
_BAR: Final = 22
_COLOURS: Final = ("#1a3d8f", "#d97706", "#0b6e4f")
_SHAPES: Final = ("circle", "diamond", "square")
_BLUES: Final = ("#e3eefb", "#b3d0ee", "#6fa8dc", "#2f72b5", "#0f3f78")
_NOT_PUBLISHED: Final = "#b0b1b2"
"""Stands for the hatching, which Vega-Lite has no word for."""
_HATCHING: Final = (
    '<defs><pattern id="hatched" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="8" height="8" fill="#f3f4f7"/><rect width="3" height="8" fill="#6b7086"/></pattern></defs>'
)


def draw(shown: Shown, teller: Teller, county: str, language: Language) -> bytes:
    """The picture of an exhibit that has figures."""
    match shown.exhibit.shape:
        case Shape.MAP:
            told = _map(shown, teller, county)
        case Shape.BARS:
            told = _bars(shown, teller)
        case Shape.COURSE:
            told = _course(shown)
    common = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "padding": {"left": 44, "right": 24, "top": 8, "bottom": 8},  # who reads it may have wider letters
        "config": config(language),
    }
    drawn = svg({**common, **told})
    if _NOT_PUBLISHED in drawn:
        drawn = drawn.replace(_NOT_PUBLISHED, "url(#hatched)")
        begin = drawn.index(">", drawn.index("<svg")) + 1
        drawn = drawn[:begin] + _HATCHING + drawn[begin:]
    return drawn.encode()


def _map(shown: Shown, teller: Teller, county: str) -> dict[str, Any]:
    figures = {row.code: row.figures[0] for row in shown.rows}
    names = {row.code: row.label for row in shown.rows}
    known = [one for one in figures.values() if isinstance(one, int)]
    classes = classes_of(known, is_public=shown.is_public)
    words = [class_words(one, teller, is_public=shown.is_public) for one in classes]
    nothing = teller.say("dashboard.map.nothing")
    named = dict(zip(classes, words, strict=True))

    def words_of(code: str) -> str:
        figure = figures.get(code, Gap.NOT_PUBLISHED)
        return nothing if isinstance(figure, Gap) else next(named[one] for one in classes if one.holds(figure))

    features = [
        {"type": "Feature", "geometry": shape, "words": words_of(code), "name": names.get(code, code)}
        for code, shape in shapes(county).items()
    ]
    colours = _BLUES[: len(classes)] if len(classes) > 1 else _BLUES[1:2]
    domain, drawn = list(words), list(colours)
    if any(one["words"] == nothing for one in features):
        domain, drawn = [*domain, nothing], [*drawn, _NOT_PUBLISHED]
    return {
        "width": _MAP[0],
        "height": _MAP[1],
        "data": {"values": features},
        "projection": {"type": "identity", "reflectY": True},
        "mark": {"type": "geoshape", "stroke": INK, "strokeWidth": 0.8},
        "encoding": {
            "color": {
                "field": "words",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": domain, "range": drawn},
                "legend": {
                    "title": shown.columns[0],
                    "columns": 2,
                    "columnPadding": 40,
                    "symbolType": "square",
                    "symbolSize": 240,
                    "symbolStrokeColor": INK,
                    "symbolStrokeWidth": 0.8,
                    "symbolOpacity": 1,
                },
            }
        },
    }


def class_words(one: Class, teller: Teller, *, is_public: bool) -> str:
    """What a colour means, in words."""
    first = teller.number(one.first)
    if one.after is None:
        return teller.say("dashboard.map.last", first=first)
    if one.after - one.first == 1:
        return first
    after = teller.number(one.after)
    if one.first == 0:
        return teller.say("dashboard.map.first" if not is_public else "dashboard.map.first-public", after=after)
    return teller.say("dashboard.map.between", first=first, after=after)


def _bars(shown: Shown, teller: Teller) -> dict[str, Any]:
    rows = [row for row in shown.rows if any(isinstance(one, Gap) or one > 0 for one in row.figures)]
    if shown.exhibit.ranked:
        rows = [row for row in rows if any(isinstance(one, int) for one in row.figures)][:MOST_BARS]
    rows = rows or list(shown.rows[:MOST_BARS])
    values = [
        {
            "label": row.label,
            "who": name,
            "value": figure if isinstance(figure, int) else 0,
            "words": teller.number(figure) if isinstance(figure, int) else teller.say("dashboard.map.nothing"),
        }
        for row in rows
        for name, figure in zip(shown.columns, row.figures, strict=True)
    ]
    several = len(shown.columns) > 1
    bar = _BAR - 4 if several else _BAR
    y: dict[str, Any] = {
        "field": "label",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 260, "ticks": False, "domain": False},
        "scale": {"paddingInner": 0.25},
    }
    x = {"field": "value", "type": "quantitative", "title": None, "axis": None}
    encoding: dict[str, Any] = {"y": y, "x": x}
    colour: dict[str, Any] = {"value": _COLOURS[0]}
    if several:
        names = list(shown.columns)
        encoding["yOffset"] = {"field": "who", "type": "nominal", "sort": names}
        colour = {
            "field": "who",
            "type": "nominal",
            "title": None,
            "sort": None,
            "scale": {"domain": names, "range": list(_COLOURS[: len(names)])},
            "legend": {"columns": 1},
        }
    written = {"type": "text", "align": "left", "baseline": "middle", "dx": 4, "fontSize": 13, "color": INK}
    return {
        "width": WIDTH,
        "height": {"step": bar} if several else {"step": _BAR + 6},
        "data": {"values": values},
        "encoding": encoding,
        "layer": [
            {"mark": {"type": "bar"}, "encoding": {"color": colour}},
            {"mark": written, "encoding": {"text": {"field": "words"}}},
        ],
    }


def _course(shown: Shown) -> dict[str, Any]:
    rows = [
        {"period": short_period(row.code), "who": name, "value": figure if isinstance(figure, int) else None}
        for row in shown.rows
        for name, figure in zip(shown.columns, row.figures, strict=True)
    ]
    names = list(shown.columns)
    one = {"field": "who", "type": "nominal", "title": None, "sort": None}
    return {
        "width": _COURSE[0],
        "height": _COURSE[1],
        "data": {"values": rows},
        "mark": {"type": "line", "invalid": "break-paths-show-domains", "point": {"size": 80, "filled": True}},
        "encoding": {
            "x": {
                "field": "period",
                "type": "ordinal",
                "sort": None,
                "title": None,
                "axis": {"labelAngle": _angle(shown.rows), "labelOverlap": True},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "scale": {"zero": True},
                "axis": {"tickMinStep": 1},
            },
            "color": {
                **one,
                "scale": {"domain": names, "range": list(_COLOURS[: len(names)])},
                "legend": {"columns": 1},
            },
            "shape": {**one, "scale": {"domain": names, "range": list(_SHAPES[: len(names)])}},
        },
    }


def _angle(rows: tuple[Row, ...]) -> int:
    return -45 if len(rows) > 7 else 0


def short_period(named: str) -> str:
    """As an axis has it: `2016`, `Q1 2016`, `03/2016`."""
    span = span_of(named)
    if span is Span.YEAR:
        return named
    return f"{named[5:]} {named[:4]}" if span is Span.QUARTER else f"{named[5:]}/{named[:4]}"
