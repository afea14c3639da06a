"""Sentences for people: complete in both languages, or the program does not start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.catalogue import LANGUAGES, RUNTIME_MESSAGES, BadCatalogue, Catalogue, UnknownMessage, language_of

RUNTIME = Path(__file__).parents[2] / "services" / "runtime"


def folder(tmp_path: Path, german: str, english: str | None = None) -> Path:
    (tmp_path / "de.yaml").write_text(german, encoding="utf-8")
    (tmp_path / "en.yaml").write_text(german if english is None else english, encoding="utf-8")
    return tmp_path


def test_places_are_filled_in(tmp_path: Path) -> None:
    catalogue = Catalogue(folder(tmp_path, "seats: Es sind {free} Plätze frei.", "seats: '{free} seats are free.'"))

    assert catalogue.text("de", "seats", {"free": 3}) == "Es sind 3 Plätze frei."
    assert catalogue.text("en", "seats", {"free": 3}) == "3 seats are free."


def test_what_is_filled_in_is_not_read_as_a_place(tmp_path: Path) -> None:
    catalogue = Catalogue(folder(tmp_path, "name: 'It is {name}.'"))
    assert catalogue.text("en", "name", {"name": "{free} {0.__class__}"}) == "It is {free} {0.__class__}."


@pytest.mark.parametrize(
    ("german", "english", "complaint"),
    [
        ("a: x.", "b: x.", "in one language only"),
        ("a: '{n}.'", "a: '{m}.'", "other places"),
        ("a: '{n.secret}'", None, "plain name"),
        ("a: '{n!r}'", None, "plain name"),
        ("a: '{n:>9}'", None, "plain name"),
        ("a: '{}'", None, "plain name"),
        ("a: '{n'", None, "a: "),
        ("a: 1", None, "neither a sentence"),
        ("a: [x]", None, "neither a sentence"),
        ("", None, "neither a sentence"),
        ("a: {", None, "cannot be read"),
        ("a: x.\nb: x.\na: y.", None, "a stands there twice"),
        ("problem: {internal: {title: x.}}", None, "another package"),
    ],
)
def test_a_catalogue_with_a_mistake_keeps_the_program_from_starting(
    tmp_path: Path, german: str, english: str | None, complaint: str
) -> None:
    with pytest.raises(BadCatalogue, match=re.escape(complaint)):
        Catalogue(RUNTIME_MESSAGES, folder(tmp_path, german, english))


def test_a_folder_without_one_of_the_languages_is_told(tmp_path: Path) -> None:
    (tmp_path / "de.yaml").write_text("a: x.")
    with pytest.raises(BadCatalogue, match=r"en\.yaml"):
        Catalogue(tmp_path)


def test_a_sentence_that_nobody_wrote_is_a_mistake(tmp_path: Path) -> None:
    catalogue = Catalogue(folder(tmp_path, "seats: '{free} seats.'"))
    assert not catalogue.has("offers")
    with pytest.raises(UnknownMessage, match="offers"):
        catalogue.text("de", "offers")
    with pytest.raises(UnknownMessage, match="free"):
        catalogue.text("de", "seats", {})


def test_every_problem_of_the_runtime_has_a_title_and_says_what_to_do() -> None:
    catalogue = Catalogue(RUNTIME_MESSAGES)
    named = {
        code
        for file in RUNTIME.glob("*.py")
        for code in re.findall(r"(?:Problem|Refused)\(\s*\"([a-z-]+)\"", file.read_text(encoding="utf-8"))
    }
    assert {"token-missing", "body-too-large", "idempotency-key-reused"} <= named, "the search finds what is there"
    for code in named:
        assert catalogue.has(f"problem.{code}.title"), code
        assert catalogue.has(f"problem.{code}.detail"), code


def test_sentences_are_whole() -> None:
    for language in LANGUAGES:
        for line in (RUNTIME_MESSAGES / f"{language}.yaml").read_text(encoding="utf-8").splitlines():
            sentence = re.match(r"\s+[a-z-]+: (.+)$", line)
            if sentence:
                assert sentence[1].strip('"').endswith("."), line


@given(st.text(max_size=120))
def test_any_wish_for_a_language_is_answered(wish: str) -> None:
    assert language_of(wish) in LANGUAGES
