"""Indicators as they are answered, to programs and on pages: values as text, gaps as gaps with a sentence."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel

from schemas.labels import Label
from services.reporting.indicators.declared import DECLARED, Indicator, Unit
from services.reporting.indicators.model import Delivery, Fault, Figure, Kept
from services.reporting.indicators.own import Own
from services.reporting.indicators.reading import Series
from services.runtime.catalogue import Catalogue, Language


class IndicatorLine(BaseModel):
    """A declared indicator. `latest`: the last year of which a supplier delivered something."""

    id: str
    theme: str
    name: Label
    unit: Unit
    level: str
    by: tuple[str, ...]
    by_open: tuple[str, ...]
    available: Literal["yes", "open"]
    source: tuple[str, ...]
    feed: Literal["imported", "mixed"]
    definition: Label | None
    note: Label | None
    latest: int | None


class SaidView(BaseModel):
    """What a supplier said; `value` is null where it shows none, and `mark` is what it wrote there."""

    value: str | None
    mark: str
    source: str
    stand: date
    taken: datetime


class FigureView(SaidView):
    """An official figure, with what was said before it."""

    year: int
    place: str
    parts: dict[str, str]
    before: list[SaidView]


class OwnView(BaseModel):
    """A figure of our own, or why there is none."""

    year: int
    parts: dict[str, str]
    value: str | None
    gap: str | None
    why: str


class IndicatorView(IndicatorLine):
    """One indicator: official figures beside our own, which say of themselves whom they cover."""

    official: list[FigureView]
    own: list[OwnView]
    coverage: str | None


class FaultView(BaseModel):
    line: int
    column: str
    wrong: str
    remedy: str


class DoubtView(BaseModel):
    line: int
    indicator: str
    year: int
    place: str
    value: str
    confirmed: bool
    doubts: list[FaultView]


class DeliveryView(BaseModel):
    """What became of a file."""

    id: str
    at: datetime | None
    new: int
    corrected: int
    unchanged: int
    faults: list[FaultView]
    doubtful: list[DoubtView]


def line(indicator: Indicator, latest: int | None) -> IndicatorLine:
    fields = {name: getattr(indicator, name) for name in IndicatorLine.model_fields if name != "latest"}
    return IndicatorLine(**fields, latest=latest)


def view(series: Series, catalogue: Catalogue, spoken: Language) -> IndicatorView:
    latest = max((one.year for one in series.official), default=None)
    return IndicatorView(
        **line(series.indicator, latest).model_dump(),
        official=[_figure(one.year, figure) for one in series.official for figure in one.figures],
        own=[_own(year, own, catalogue, spoken) for year, owns in series.own for own in owns],
        coverage=catalogue.text(spoken, "indicators.coverage", {}) if series.own else None,
    )


def _said(kept: Kept) -> SaidView:
    said = kept.said
    return SaidView(value=said.value, mark=said.mark, source=said.source, stand=said.stand, taken=kept.at)


def _figure(year: int, figure: Figure) -> FigureView:
    return FigureView(
        **_said(figure.now).model_dump(),
        year=year,
        place=figure.place,
        parts=dict(figure.parts),
        before=[_said(one) for one in reversed(figure.before)],
    )


def _own(year: int, own: Own, catalogue: Catalogue, spoken: Language) -> OwnView:
    return OwnView(
        year=year,
        parts=dict(own.parts),
        value=None if own.value is None else format(own.value, "f"),
        gap=own.gap,
        why=catalogue.text(spoken, f"indicators.gap.{own.gap}", {}) if own.gap else "",
    )


def delivery_view(one: Delivery, catalogue: Catalogue, spoken: Language) -> DeliveryView:
    def told(fault: Fault) -> FaultView:
        return FaultView(
            line=fault.line,
            column=catalogue.text(spoken, f"figures.column.{fault.column}", {}) if fault.column else "",
            wrong=catalogue.text(spoken, f"figures.{fault.code}.wrong", {}),
            remedy=catalogue.text(spoken, f"figures.{fault.code}.remedy", {}),
        )

    doubtful = [
        DoubtView(
            line=each.row.line,
            indicator=each.row.indicator,
            year=each.row.year,
            place=each.row.place,
            value=each.row.said.value or each.row.said.mark,
            confirmed=each.confirmed,
            doubts=[told(why) for why in each.why],
        )
        for each in one.doubtful
    ]
    counts = {name: getattr(one, name) for name in ("id", "at", "new", "corrected", "unchanged")}
    return DeliveryView(**counts, faults=[told(fault) for fault in one.faults], doubtful=doubtful)


def parts_words(parts: dict[str, str], catalogue: Catalogue, language: Language) -> str:
    """A breakdown as people read it; "total" for the whole."""
    if not parts:
        return catalogue.text(language, "indicators.whole", {})
    named: list[str] = []
    for dimension, value in parts.items():
        declared = DECLARED.dimensions[dimension]
        group = f"indicators.group.{value}"
        words = declared.words(value, language)
        if words == value and value in _GROUPS:
            words = catalogue.text(language, group, {})
        named.append(f"{declared.de if language == 'de' else declared.en}: {words}")
    return ", ".join(named)


_GROUPS = ("eu", "third-country", "stateless-or-unclear", "other")
