"""Whatever is not published is named as an assumption, in one file, with its unit and its reason, and is used."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import simulation
from schemas import places
from simulation import assumptions

PACKAGE = Path(simulation.__file__).parent
GENERATOR = ("naming", "register", "lives", "situations", "people", "partners", "conduct", "rows", "files")
UNIT_AND_REASON = re.compile(r"\[[^\]]+\] \S.{24,}\.$", re.DOTALL)


def constants() -> Iterator[tuple[str, str]]:
    """Each constant of the file with the text that stands below it."""
    body = ast.parse((PACKAGE / "assumptions.py").read_text(encoding="utf-8")).body
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            match following:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield statement.target.id, text
                case _:
                    yield statement.target.id, ""


def test_every_assumption_says_its_unit_and_its_reason() -> None:
    known = dict(constants())
    assert len(known) > 60
    assert [name for name, text in known.items() if not UNIT_AND_REASON.match(text)] == []


def test_every_assumption_is_used() -> None:
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert [name for name, _ in constants() if name not in used] == []


@pytest.mark.parametrize("module", GENERATOR)
def test_no_other_file_brings_in_shares_of_its_own(module: str) -> None:
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    assert [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ] == []


def test_shares_are_shares() -> None:
    for name, text in constants():
        value = getattr(assumptions, name)
        if text.startswith("[share"):
            numbers = value.values() if isinstance(value, dict) else [value]
            flat = [n for one in numbers for n in (one.values() if isinstance(one, dict) else [one])]
            assert all(0 <= number <= 1 for number in flat), name


@pytest.mark.parametrize(
    "name",
    [
        "WAYS_IN",
        "PERSON_ANSWERS",
        "PARTNER_ANSWERS",
        "COURSE_OF_THINGS",
        "AGREED_IN_ADVANCE",
        "MISSED_APPOINTMENTS",
        "RESIDENCE_OF_THIRD",
    ],
)
def test_shares_of_one_whole_sum_to_one(name: str) -> None:
    assert sum(getattr(assumptions, name).values()) == pytest.approx(1)


def test_a_bad_partner_still_accepts_somebody() -> None:
    worst = max(assumptions.PARTNERS_DIFFER)
    assert worst * (assumptions.PARTNER_ANSWERS["declines"] + assumptions.PARTNER_ANSWERS["silent"]) < 0.5


def test_nobody_is_forgotten_before_the_last_repetition_of_the_arrival() -> None:
    """A monthly file, the next one with the repeated row, and the same file sent again: then a repetition brings nobody back."""
    assert min(assumptions.ERASED_AFTER) >= 31 + 31 + 4


@pytest.mark.parametrize(("file", "digits"), [("district.geojson", 9), ("municipality.geojson", 12)])
def test_the_maps_agree_with_the_list_of_places(file: str, digits: int) -> None:
    drawn = json.loads((PACKAGE / "data" / "geo" / file).read_text(encoding="utf-8"))["features"]
    keys = {one["properties"]["ars"]: one["properties"]["name"] for one in drawn}
    areas = [area for county in places.counties() for area in places.districts(county.ars)]
    towns = [town for area in areas for town in places.municipalities(area.ars)]
    assert keys == {place.ars: place.name for place in (areas if digits == 9 else towns)}
