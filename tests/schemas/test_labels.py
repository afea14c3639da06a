"""Every code that a person may see has words in German and in English."""

from __future__ import annotations

from enum import StrEnum

import pytest

from schemas import codes
from schemas.labels import label, labels

CODE_LISTS = {
    name: found
    for name, found in vars(codes).items()
    if isinstance(found, type) and issubclass(found, StrEnum) and found is not StrEnum
}


def test_every_code_list_has_labels_and_every_label_a_code() -> None:
    assert {name: {code.value for code in found} for name, found in CODE_LISTS.items()} == {
        name: set(words) for name, words in labels().items()
    }


@pytest.mark.parametrize("name", CODE_LISTS)
def test_the_labels_of_a_list_are_words_and_differ_from_each_other(name: str) -> None:
    for language in ("de", "en"):
        words = [label(code, language) for code in CODE_LISTS[name]]
        assert all(word.strip() == word and word for word in words)
        assert len(set(words)) == len(words)


def test_german_comes_first() -> None:
    assert label(codes.ServiceKind.RECOGNITION_COUNSELLING) == "Anerkennungsberatung"
    assert label(codes.ServiceKind.RECOGNITION_COUNSELLING, "en") == "Recognition counselling"
