"""What people read for a code, in German and English: `schemas/labels.yaml`, read once.

Every code of every list in `schemas.codes` has both.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

_SOURCE: Final = Path(__file__).with_name("labels.yaml")


class Label(BaseModel):
    """The words for one code."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    de: str
    en: str


def label(code: StrEnum, language: Literal["de", "en"] = "de") -> str:
    """The words for a code, in a language of the pages."""
    words = labels()[type(code).__name__][code.value]
    return words.de if language == "de" else words.en


@cache
def labels() -> dict[str, dict[str, Label]]:
    """All labels, by the name of the code list and the code."""
    described = yaml.safe_load(_SOURCE.read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, dict[str, Label]]).validate_python(described)
