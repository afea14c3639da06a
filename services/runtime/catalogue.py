"""Sentences for people, German and English, kept in files beside the code that needs them.

A package has a folder `messages/` with one file a language. What is guaranteed once a catalogue is built: every sentence exists
in both languages and has the same places to fill in; no two packages use the same key. German is the language of whoever does not
ask for another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Final, Literal, cast

from schemas.plain_yaml import read_yaml

Language = Literal["de", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("de", "en")
DEFAULT_LANGUAGE: Final[Language] = "de"
RUNTIME_MESSAGES: Final = Path(__file__).with_name("messages")


class BadCatalogue(ValueError):
    """A folder of messages is incomplete or contradicts another. The message names file and key."""


class UnknownMessage(KeyError):
    """The program asks for a sentence that no catalogue has, or leaves one of its places empty: a mistake in the code."""


class Catalogue:
    """The sentences of the given folders, by key (`problem.not-found.title`). An application needs `RUNTIME_MESSAGES` too."""

    def __init__(self, *folders: Path) -> None:
        self._texts: dict[Language, dict[str, str]] = {language: {} for language in LANGUAGES}
        for folder in folders:
            self._add(folder)

    def _add(self, folder: Path) -> None:
        texts = {language: dict(_flat(_read(folder / f"{language}.yaml"))) for language in LANGUAGES}
        german, english = texts["de"], texts["en"]
        for key in german.keys() ^ english.keys():
            raise BadCatalogue(f"{folder}: {key} is there in one language only")
        for key in german:
            if _places(folder, key, german[key]) != _places(folder, key, english[key]):
                raise BadCatalogue(f"{folder}: {key} has other places to fill in in German than in English")
            if key in self._texts["de"]:
                raise BadCatalogue(f"{folder}: {key} belongs to another package")
        for language in LANGUAGES:
            self._texts[language].update(texts[language])

    def has(self, key: str) -> bool:
        return key in self._texts[DEFAULT_LANGUAGE]

    def text(self, language: Language, key: str, params: Mapping[str, object] | None = None) -> str:
        """The sentence with its places filled. Raises `UnknownMessage`. `params` must not hold personal data."""
        try:
            return self._texts[language][key].format_map(params or {})
        except KeyError as missing:
            raise UnknownMessage(f"{key} ({language}): {missing.args[0]}") from None


def _read(file: Path) -> object:
    try:
        return read_yaml(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadCatalogue(f"{file} cannot be read: {error}") from error


def _flat(tree: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, str) and prefix:
        yield prefix, tree.strip()
    elif isinstance(tree, dict):
        for key, below in cast("dict[object, object]", tree).items():
            yield from _flat(below, f"{prefix}.{key}" if prefix else str(key))
    else:
        raise BadCatalogue(f"{prefix or 'the file'} is neither a sentence nor a group of sentences")


def _places(folder: Path, key: str, text: str) -> set[str]:
    """The names in braces. Only plain names are allowed: no attribute, index or format could ever be reached from outside."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise BadCatalogue(f"{folder}: {key}: {error}") from None
    places: set[str] = set()
    for _, name, form, conversion in parts:
        if name is not None:
            if not name.isidentifier() or form or conversion:
                raise BadCatalogue(f"{folder}: {key}: the place {{{name}}} must be a plain name")
            places.add(name)
    return places


@lru_cache(maxsize=256)
def language_of(accept_language: str) -> Language:
    """The language to answer in (RFC 9110, 12.5.4): the best rated that we speak, else German."""
    best, best_quality = DEFAULT_LANGUAGE, 0.0
    for part in accept_language[:500].split(","):
        tag, _, parameter = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        quality = _quality(parameter)
        if quality > best_quality:
            for language in LANGUAGES:
                if name in (language, "*"):
                    best, best_quality = language, quality
                    break
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
