"""What the demo says of a release that is not what it should be."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.releases import compare

COUNTED = {
    "needs": {
        "items": [
            {"period": "2016-01", "values": {"kind": "lotse", "district": "melle"}, "count": 3},
            {"period": "2016-02", "values": {"kind": "lotse", "district": "melle"}, "count": 9},
            {"period": "2016-02", "values": {"kind": "housing", "district": "bramsche"}, "count": 30},
        ]
    },
    "seats": {"items": [{"period": "2016-02", "values": {"kind": "lotse"}, "count": 8}]},
}


def release(table: str, values: list[str], figure: int | None) -> dict[str, Any]:
    return {"tables": [{"name": table, "observations": [{"period": "2016", "values": values, "figure": figure}]}]}


@pytest.mark.parametrize(
    ("table", "values", "figure"),
    [
        ("needs", ["lotse", "melle"], 5),
        ("needs", ["*", "*"], 49),
        ("needs", ["*", "bramsche"], 30),
        ("needs", ["housing", "melle"], 0),
        ("needs", ["housing", "*"], None),
        ("seats", ["lotse"], 8),
    ],
)
def test_a_figure_near_its_count_is_right(table: str, values: list[str], figure: int | None) -> None:
    assert compare(release(table, values, figure), COUNTED).differences == []


@pytest.mark.parametrize(
    ("table", "values", "figure", "why"),
    [
        ("needs", ["lotse", "melle"], 20, "further from 12"),
        ("needs", ["*", "*"], 34, "further from 42"),
        ("needs", ["lotse", "*"], 2, "further from 12"),
        ("needs", ["housing", "melle"], 4, "there is nobody"),
        ("needs", ["housing", "melle"], 1, "no figure may be"),
        ("seats", ["lotse"], 9, "instead of 8"),
    ],
)
def test_a_figure_that_may_not_be_is_named(table: str, values: list[str], figure: int, why: str) -> None:
    (difference,) = compare(release(table, values, figure), COUNTED).differences
    assert why in difference


def test_what_is_not_shown_is_counted_apart() -> None:
    compared = compare(release("needs", ["housing", "*"], None), COUNTED)
    assert (compared.figures, compared.not_shown, compared.most) == (0, 1, 0)
    assert compare(release("needs", ["lotse", "melle"], 15), COUNTED).most == 3
