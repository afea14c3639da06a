"""The pages of the indicators: the list by theme, and one of them with a picture, a sentence and a table."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from services.reporting.charts import Line, drawn
from services.reporting.indicators import reading
from services.reporting.indicators.api import indicator_of
from services.reporting.indicators.declared import DECLARED, place_name, words_of
from services.reporting.indicators.reading import PublishedFigures, Series
from services.reporting.indicators.views import FigureView, IndicatorView, OwnView, parts_words, view
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Catalogue, Language
from services.runtime.pages import PREFIX, Pages, Visitor, page_for
from services.runtime.problems import Problem
from services.runtime.running import Running

INDICATORS_PAGE: Final = f"{PREFIX}/indicators"

Reader = Annotated[Visitor, Depends(page_for(Role.COORDINATOR, Role.REPORTER))]


def written(value: str, language: Language) -> str:
    """A number as people write it: 3.332 or 3,332; 12,5 or 12.5."""
    text = f"{Decimal(value):,f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "de" else text


def add_indicator_pages(router: APIRouter, running: Running, pages: Pages, published: PublishedFigures) -> None:
    async def series_of(visitor: Visitor, id: str) -> Series:
        store = running.store(visitor.signed_in.county)
        return await reading.series(store, indicator_of(id), published, berlin_day(running.clock.now()))

    @router.get(INDICATORS_PAGE)
    async def listed(visitor: Reader) -> Response:
        latest = await reading.latest_years(running.store(visitor.signed_in.county))
        themes = [
            (words_of(words, visitor.language), [one for one in DECLARED.indicators if one.theme == theme])
            for theme, words in DECLARED.themes.items()
        ]
        return pages.show(
            visitor,
            "indicators.html",
            themes=[(words, some) for words, some in themes if some],
            latest=latest,
            words_of=words_of,
        )

    @router.get(INDICATORS_PAGE + "/{indicator}")
    async def one_indicator(visitor: Reader, indicator: str) -> Response:
        spoken, county = visitor.language, visitor.signed_in.county
        found = await series_of(visitor, indicator)
        shown = view(found, pages.catalogue, spoken)
        return pages.show(
            visitor,
            "indicator.html",
            one=shown,
            picture=bool(_lines(shown, county, pages.catalogue, spoken)),
            sentence=_sentence(shown, county, pages.catalogue, spoken),
            dimensions=[(name, DECLARED.dimensions[name]) for name in found.indicator.by],
            parts_words=partial(parts_words, catalogue=pages.catalogue, language=spoken),
            written=partial(written, language=spoken),
            place_name=place_name,
            words_of=words_of,
        )

    @router.get(INDICATORS_PAGE + "/{indicator}/picture.svg")
    async def picture(visitor: Reader, indicator: str) -> Response:
        spoken = visitor.language
        shown = view(await series_of(visitor, indicator), pages.catalogue, spoken)
        lines = _lines(shown, visitor.signed_in.county, pages.catalogue, spoken)
        if not lines:
            raise Problem("not-found", 404)
        unit = pages.catalogue.text(spoken, f"reporting.unit.{shown.unit}", {})
        return Response(await drawn(lines, unit, spoken), media_type="image/svg+xml")


def _wholes(shown: IndicatorView, county: str) -> tuple[list[FigureView], list[OwnView]]:
    """What is said of the county as a whole."""
    official = [one for one in shown.official if one.place == county and not one.parts]
    return official, [one for one in shown.own if not one.parts]


def _lines(shown: IndicatorView, county: str, catalogue: Catalogue, spoken: Language) -> list[Line]:
    """What is drawn; nothing where there is no figure at all."""
    official, own = _wholes(shown, county)
    named = (
        ("reporting.official", {one.year: _float(one.value) for one in official}),
        ("reporting.own", {one.year: _float(one.value) for one in own}),
    )
    return [
        Line(catalogue.text(spoken, key, {}), values)
        for key, values in named
        if any(value is not None for value in values.values())
    ]


def _float(value: str | None) -> float | None:
    return None if value is None else float(value)


def _sentence(shown: IndicatorView, county: str, catalogue: Catalogue, spoken: Language) -> str:
    """The latest official figure and our own of that year in one sentence: also what the picture says to whoever does not see it."""
    official, own = _wholes(shown, county)
    told = [one for one in official if one.value is not None]
    unit = catalogue.text(spoken, f"reporting.unit-short.{shown.unit}", {})
    parts: list[str] = []
    if told:
        first, last = told[0], told[-1]
        key = "reporting.sentence-one" if first is last else "reporting.sentence-way"
        values = {
            "year": last.year,
            "value": written(last.value or "", spoken) + unit,
            "first": first.year,
            "before": written(first.value or "", spoken) + unit,
            "source": last.source,
        }
        wanted = ("year", "value", "source") if first is last else tuple(values)
        parts.append(catalogue.text(spoken, key, {name: values[name] for name in wanted}))
    else:
        parts.append(catalogue.text(spoken, "reporting.sentence-none", {}))
    counted = [one for one in own if one.value is not None]
    if counted:
        last_own = counted[-1]
        own_values: dict[str, object] = {"year": last_own.year, "value": written(last_own.value or "", spoken) + unit}
        parts.append(catalogue.text(spoken, "reporting.sentence-own", own_values))
    return " ".join(parts)
