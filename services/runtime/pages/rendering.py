"""Templates to pages, in German or English.

Everything that is filled in is escaped; a name that a template uses and nobody gave is an error, not an empty place. Templates have these
words beside what a page gives them: ``say(key, …)`` a sentence of the catalogue, ``day`` and ``instant`` a date as people write it,
``asset`` an address, ``language``, ``path``, ``visitor`` (or none), ``secret`` of the forms, ``key`` a new one for each form, ``said``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.runtime.calendar import BERLIN
from services.runtime.catalogue import Catalogue, Language
from services.runtime.pages import assets
from services.runtime.pages.forms import new_key

PAGE_TEMPLATES: Final = Path(__file__).with_name("templates")
PAGE_MESSAGES: Final = Path(__file__).with_name("messages")
"""The words on the pages of all services; their catalogue needs `RUNTIME_MESSAGES` too."""

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


class Renderer:
    """The templates of the runtime and of one service."""

    def __init__(self, catalogue: Catalogue, *folders: Path, **words: object) -> None:
        """`words`: more names for all templates, such as functions of the service."""
        self.catalogue = catalogue
        self._environment = Environment(
            loader=FileSystemLoader([*folders, PAGE_TEMPLATES]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        everywhere = cast("dict[str, object]", self._environment.globals)  # pyright: ignore[reportUnknownMemberType]
        everywhere.update(asset=assets.address, new_key=new_key, **words)

    def html(self, template: str, language: Language, values: Mapping[str, object]) -> str:
        """The page. Raises `UnknownMessage` and jinja2's errors: mistakes in the code."""
        own: dict[str, Any] = {
            "language": language,
            "say": self._saying(language),
            "day": partial(written_day, language=language),
            "instant": partial(written_instant, language=language),
        }
        return self._environment.get_template(template).render({**own, **values})

    def _saying(self, language: Language) -> Callable[..., str]:
        def say(key: str, **params: object) -> str:
            return self.catalogue.text(language, key, params)

        return say


def written_day(day: date, language: Language) -> str:
    """``14.06.2016`` or ``14 June 2016``."""
    return day.strftime("%d.%m.%Y") if language == "de" else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def written_instant(instant: datetime, language: Language) -> str:
    """Day and time in Germany."""
    local = instant.astimezone(BERLIN)
    return f"{written_day(local.date(), language)}, {local:%H:%M}{' Uhr' if language == 'de' else ''}"
