"""What people call a release, its period and its vintage, in German and English."""

from __future__ import annotations

from typing import Final

from schemas.labels import Label
from schemas.places import UnknownPlace, county
from services.reporting.disclosure.sets import Span, span_of
from services.reporting.releases.calendar import Issue
from services.reporting.tables import Vintage

VINTAGES: Final = {
    Vintage.PROVISIONAL: Label(de="vorläufig", en="provisional"),
    Vintage.FINAL: Label(de="endgültig", en="final"),
}

NOT_SHOWN: Final = Label(de="nicht gezeigt", en="not shown")

METHOD: Final = (
    Label(
        de="Zum Schutz der Gezählten ist jede Zahl über Menschen zufällig ein wenig nach oben oder unten verändert (Cell-Key-Methode, wie "
        "beim Zensus). Eine 0 bleibt eine 0; eine 1 oder 2 kommt nicht vor.",
        en="To protect those who are counted, each figure about people is changed at random a little up or down (cell key method, as in "
        "the census). A 0 stays a 0; there is no 1 or 2.",
    ),
    Label(
        de="Jede Zahl ist für sich verändert. Deshalb ergeben Teile zusammen nicht immer genau das Ganze; genauer ist das Ganze selbst.",
        en="Each figure is changed by itself. So parts do not always add up to their whole; the whole itself is the more exact figure.",
    ),
    Label(
        de="„nicht gezeigt“ steht, wo alle Gezählten in demselben Teil sind: Auch die Nullen daneben würden es verraten.",
        en="“not shown” stands where all who are counted are in the same part: the zeros beside it would tell so too.",
    ),
    Label(
        de="Angebotene Plätze stehen im öffentlichen Verzeichnis und sind unverändert.",
        en="Seats offered stand in the public directory and are unchanged.",
    ),
    Label(
        de="Eine Veröffentlichung wird nie geändert. Was später gemeldet oder berichtigt wird, steht in der nächsten.",
        en="A release is never changed. What is reported or corrected later is in the next one.",
    ),
)
"""How the figures are to be read, a paragraph each (docs/architecture/disclosure-control.md)."""

_MONTHS: Final = (
    Label(de="Januar", en="January"),
    Label(de="Februar", en="February"),
    Label(de="März", en="March"),
    Label(de="April", en="April"),
    Label(de="Mai", en="May"),
    Label(de="Juni", en="June"),
    Label(de="Juli", en="July"),
    Label(de="August", en="August"),
    Label(de="September", en="September"),
    Label(de="Oktober", en="October"),
    Label(de="November", en="November"),
    Label(de="Dezember", en="December"),
)


def period_words(period: str) -> Label:
    """``Mai 2016``, ``2. Quartal 2016``, ``2016``."""
    year = period[:4]
    match span_of(period):
        case Span.MONTH:
            month = _MONTHS[int(period[5:]) - 1]
            return Label(de=f"{month.de} {year}", en=f"{month.en} {year}")
        case Span.QUARTER:
            return Label(de=f"{period[6]}. Quartal {year}", en=f"quarter {period[6]} of {year}")
        case Span.YEAR:
            return Label(de=year, en=year)


def county_name(ars: str) -> str:
    """The name of a county; its key where nobody knows a name."""
    try:
        return county(ars).name
    except UnknownPlace:
        return ars


def title(ars: str, issue: Issue) -> Label:
    """What a release is about, in a line."""
    name, period, vintage = county_name(ars), period_words(issue.period), VINTAGES[issue.vintage]
    return Label(
        de=f"{name}: Zahlen zur Integration, {period.de} ({vintage.de})",
        en=f"{name}: figures on integration, {period.en} ({vintage.en})",
    )
