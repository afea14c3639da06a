"""Files of texts and settings are read as they stand, or refused with the reason."""

from __future__ import annotations

import pytest

from schemas.plain_yaml import BadYaml, read_yaml


def test_mappings_lists_and_plain_values_are_read() -> None:
    assert read_yaml("a: {b: [1, zwei, true]}\nc: |\n  Ä\n") == {"a": {"b": [1, "zwei", True]}, "c": "Ä\n"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", "a stands there twice"),
        ("top:\n  a: 1\n  a: 1\n", "a stands there twice"),
        ("a: [1, 2\n", "line 2"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
    ],
)
def test_what_is_ambiguous_broken_or_more_than_plain_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadYaml, match=reason):
        read_yaml(text)
