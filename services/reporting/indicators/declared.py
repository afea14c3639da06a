"""The declared indicators, read once from `indicators.yaml`. A declaration that contradicts itself stops the service at its start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.labels import Label
from schemas.places import UnknownPlace, county, district, locate
from schemas.plain_yaml import read_yaml
from services.runtime.catalogue import Language

Unit = Literal["number", "percent"]

MUNICIPALITY: Final = "municipality"
COUNTY: Final = "county"


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dimension(_Declared):
    """What figures are broken down by: a closed list of `values`, or the `shape` (a regular expression) of what a supplier may write."""

    de: str
    en: str
    values: dict[str, Label] = {}
    shape: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.values) == bool(self.shape):
            raise ValueError("name the values, or their shape")
        return self

    def knows(self, value: str) -> bool:
        return value in self.values if self.values else re.fullmatch(self.shape, value) is not None

    def words(self, value: str, language: Language) -> str:
        """What people read for a value; the value itself where the supplier's own is shown."""
        label = self.values.get(value)
        return value if label is None else words_of(label, language)


class Indicator(_Declared):
    """One indicator; the fields are explained at the head of `indicators.yaml`."""

    id: str = Field(pattern=r"^[0-9]{1,2}(\.[0-9])?$")
    theme: str
    name: Label
    unit: Unit
    by: tuple[str, ...]
    by_open: tuple[str, ...] = ()
    level: str
    places: tuple[str, ...] = Field(min_length=1)
    available: Literal["yes", "open"]
    source: tuple[str, ...] = Field(min_length=1)
    feed: Literal["imported", "mixed"]
    definition: Label | None = None
    note: Label | None = None
    updated: str = ""
    negative: bool = False

    def is_for(self, place: str, of: str) -> bool:
        """Whether figures of this place belong to the indicator in the county `of`."""
        if place == of:
            return COUNTY in self.places
        return place in self.places or (MUNICIPALITY in self.places and _county_of(place) == of)


class Declaration(_Declared):
    themes: dict[str, Label]
    dimensions: dict[str, Dimension]
    indicators: tuple[Indicator, ...]

    @model_validator(mode="after")
    def _only_what_is_declared(self) -> Self:
        ids = [one.id for one in self.indicators]
        if len(set(ids)) != len(ids):
            raise ValueError("an indicator is declared twice")
        for one in self.indicators:
            unknown = ({one.theme} - self.themes.keys()) | (set(one.by) - self.dimensions.keys())
            if unknown | (set(one.by_open) - set(one.by)):
                raise ValueError(f"indicator {one.id} uses {', '.join(sorted(unknown))}, which is not declared")
        return self


def words_of(label: Label, language: Language) -> str:
    return label.de if language == "de" else label.en


def place_name(key: str) -> str:
    """The name of a county, district or municipality; the key where there is none (the city of Osnabrück lies in no county)."""
    try:
        return county(key).name
    except UnknownPlace:
        pass
    try:
        found = locate(key)
    except UnknownPlace:
        return key
    return found.municipality.name if found.municipality else found.district.name


def _county_of(key: str) -> str | None:
    """The county in which a district (9 digits) or municipality (8 or 12) lies; None for an unknown one."""
    try:
        return district(key).county if len(key) == 9 else locate(key).district.county
    except UnknownPlace:
        return None


def parse(text: str) -> Declaration:
    """What a text like `indicators.yaml` declares. Raises pydantic's `ValidationError`."""
    return Declaration.model_validate(read_yaml(text))


DECLARED: Final = parse(Path(__file__).with_name("indicators.yaml").read_text(encoding="utf-8"))
INDICATORS: Final = {one.id: one for one in DECLARED.indicators}
