"""The values that each dimension may have, with their words: what a release's figures are listed by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Final

from schemas.labels import Label, labels
from schemas.places import districts
from services.reporting.coarsening import UNKNOWN
from services.reporting.disclosure.sets import ALL
from services.reporting.tables import DECLARED

TOTAL: Final = Label(de="insgesamt", en="total")
NOBODY_SAID: Final = Label(de="unbekannt", en="unknown")

_LISTS: Final[Mapping[str, tuple[str, bool]]] = {
    "residence-group": ("ResidenceGroup", True),
    "sex": ("Sex", True),
    "way": ("Way", True),
    "kind": ("ServiceKind", False),
    "wait-reason": ("WaitReason", False),
    "outcome": ("Outcome", False),
    "fail-reason": ("FailReason", False),
}
"""Dimensions that are coded by a list of the schemas: its name, and whether there is also somebody of whom it is unknown."""


@cache
def code_list(dimension: str, county: str) -> Mapping[str, Label]:
    """The codes of a dimension in a county, without `ALL`, in the order in which people expect them."""
    if dimension == "district":
        return {district.ars: Label(de=district.name, en=district.name) for district in districts(county)}
    if dimension == "age-group":
        return _ages(DECLARED.dimensions[dimension].first) | {UNKNOWN: NOBODY_SAID}
    if dimension in _LISTS:
        name, may_be_unknown = _LISTS[dimension]
        return labels()[name] | ({UNKNOWN: NOBODY_SAID} if may_be_unknown else {})
    return DECLARED.dimensions[dimension].labels


def words(dimension: str, value: str, county: str) -> Label:
    """The words for a value of a dimension; `ALL` included. A code that is in no list is its own word."""
    if value == ALL:
        return TOTAL
    return code_list(dimension, county).get(value) or Label(de=value, en=value)


def _ages(first: tuple[int, ...]) -> dict[str, Label]:
    groups = {
        f"{begin}-{after - 1}": Label(de=f"{begin} bis unter {after} Jahre", en=f"{begin} to under {after} years")
        for begin, after in pairwise(first)
    }
    last = first[-1]
    return groups | {f"{last}+": Label(de=f"{last} Jahre und älter", en=f"{last} years and older")}
