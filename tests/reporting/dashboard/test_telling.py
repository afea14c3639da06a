"""What is said of published figures: gaps with their reason, no difference that may be none, classes no finer than the figures."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.dashboard.exhibits import EXHIBITS, TOPICS, Shape
from services.reporting.dashboard.maps import OFF_BY, classes_of, shapes
from services.reporting.dashboard.pictures import draw
from services.reporting.dashboard.published import MESSAGES
from services.reporting.dashboard.telling import Gap, Known, Teller, course_periods
from services.reporting.disclosure.sets import ALL, Span
from services.reporting.indicators.own import NOT_SHOWN, Published
from services.reporting.releases.calendar import Issue
from services.reporting.releases.codes import code_list
from services.reporting.sums import Cell
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue, Language
from tests.reporting.county import ARTLAND, BRAMSCHE, COUNTY, MELLE

YEAR = Issue("yearly", "2016")
CATALOGUE = Catalogue(RUNTIME_MESSAGES, MESSAGES)


def arrivals(period: str, value: str = ALL) -> Cell:
    return Cell("arrivals-by-residence", period, (value, ALL))


def teller(
    chosen: dict[Cell, int | None], others: Published | None = None, issue: Issue = YEAR, language: Language = "de"
) -> Teller:
    return Teller(Known(COUNTY, issue, chosen, others or {}), CATALOGUE, language)


DISTRICTS: dict[Cell, int | None] = {arrivals("2016", code): 0 for code in code_list("district", COUNTY)}
PEOPLE = DISTRICTS | {arrivals("2016"): 412, arrivals("2016", ARTLAND): 230, arrivals("2016", MELLE): 120}


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Im Jahr 2016 kamen 412 Menschen an; am meisten: Artland (230); 12 % mehr als 2015 (368)."),
        ("en", "In 2016, 412 people arrived; most of them: Artland (230); 12 % more than in 2015 (368)."),
    ],
)
def test_the_sentence_of_a_map_says_how_many_where_most_and_what_changed(language: Language, sentence: str) -> None:
    told = teller(PEOPLE, {arrivals("2015"): 368}, language=language)
    assert told.told(EXHIBITS["arrivals-by-district"], Span.YEAR).sentence == sentence


def test_no_difference_is_claimed_that_may_come_from_the_protection() -> None:
    near = DISTRICTS | {arrivals("2016"): 412, arrivals("2016", ARTLAND): 130, arrivals("2016", MELLE): 120}
    shown = teller(near, {arrivals("2015"): 400}).told(EXHIBITS["arrivals-by-district"], Span.YEAR)
    assert "Artland (130), Melle (120)" in shown.sentence, "either may be first"
    assert "nicht deutlich anders als 2015 (400)" in shown.sentence


def test_a_small_figure_is_not_told_in_per_cent() -> None:
    few = teller({**DISTRICTS, arrivals("2016"): 60, arrivals("2016", ARTLAND): 60}, {arrivals("2015"): 20})
    sentence = few.told(EXHIBITS["arrivals-by-district"], Span.YEAR).sentence
    assert "mehr als 2015 (20)" in sentence
    assert "%" not in sentence


def test_what_is_not_shown_or_not_released_is_a_gap_in_words_and_never_zero() -> None:
    told = teller(PEOPLE | {arrivals("2016", BRAMSCHE): None})
    shown = told.told(EXHIBITS["arrivals-by-district"], Span.YEAR)
    (bramsche,) = [row for row in shown.rows if row.code == BRAMSCHE]
    assert bramsche.figures == (Gap.NOT_SHOWN,)
    assert told.cell(Gap.NOT_SHOWN) == "nicht gezeigt, zum Schutz der Menschen"
    assert "Nicht gezeigte Werte: 1" in shown.sentence
    needs = told.told(EXHIBITS["needs-by-kind"], Span.YEAR)
    assert (needs.gap, needs.rows) == (Gap.NOT_IN_RELEASE, ())
    assert "in der Veröffentlichung für 2016 nicht enthalten" in needs.sentence
    assert "zum Vergleich mit 2015 gibt es keine veröffentlichte Zahl" in shown.sentence


def test_a_course_has_gaps_where_nothing_was_published_and_begins_with_the_first_release() -> None:
    others: Published = {arrivals("2016-Q1"): 90, arrivals("2016-Q2"): NOT_SHOWN, arrivals("2016-Q4"): 150}
    shown = teller({}, others).told(EXHIBITS["arrivals-over-time"], Span.QUARTER)
    assert [(row.code, row.figures[0]) for row in shown.rows] == [
        ("2016-Q1", 90),
        ("2016-Q2", Gap.NOT_SHOWN),
        ("2016-Q3", Gap.NOT_PUBLISHED),
        ("2016-Q4", 150),
    ]
    assert shown.sentence == "Ankünfte: zuletzt 150 (4. Quartal 2016), 67 % mehr als 1. Quartal 2016 (90)."
    drawn = draw(shown, teller({}, others), COUNTY, "de").decode()
    assert drawn.count('aria-roledescription="point"') == 2, "no point stands for a gap"


@pytest.mark.parametrize(
    ("last", "span", "end", "periods"),
    [
        ("2016", Span.QUARTER, "2016-Q4", 12),
        ("2016-Q2", Span.MONTH, "2016-06", 24),
        ("2016-03", Span.QUARTER, "2016-Q1", 12),
        ("2016-Q2", Span.YEAR, "2016", 10),
    ],
)
def test_a_course_ends_with_the_chosen_period(last: str, span: Span, end: str, periods: int) -> None:
    every = course_periods(last, span)
    assert (every[-1], len(every)) == (end, periods)


# --- the map ----------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 20_000), max_size=21))
def test_classes_hold_each_figure_once_and_are_wider_than_it_may_be_off(figures: list[int]) -> None:
    classes = classes_of(figures, is_public=False)
    assert 1 <= len(classes) <= 5
    assert all(sum(one.holds(figure) for one in classes) == 1 for figure in figures)
    assert all(one.after is None or one.after - one.first > 2 * OFF_BY for one in classes)


@pytest.mark.parametrize("county", ["03157", "03358", "03459"])
def test_the_shapes_are_the_districts_that_releases_are_broken_down_by(county: str) -> None:
    assert shapes(county).keys() == code_list("district", county).keys()


def test_a_district_that_is_not_shown_is_hatched_and_the_legend_says_so() -> None:
    known = PEOPLE | {arrivals("2016", BRAMSCHE): None}
    shown = teller(known).told(EXHIBITS["arrivals-by-district"], Span.YEAR)
    drawn = draw(shown, teller(known), COUNTY, "de").decode()
    assert len(re.findall(r'fill="url\(#hatched\)"', drawn)) == 2, "the district, and the legend"
    for words in ("unter 50 (auch niemand)", "100 bis unter 150", "200 und mehr", "nicht veröffentlicht"):
        assert words in drawn


def test_every_exhibit_has_its_words_in_both_languages() -> None:
    for topic in TOPICS:
        for exhibit in topic.exhibits:
            for language in ("de", "en"):
                shown = teller({}, language=language).told(exhibit, Span.QUARTER)
                assert shown.title
                assert shown.gap is (Gap.NOT_PUBLISHED if exhibit.shape is Shape.COURSE else Gap.NOT_IN_RELEASE)
