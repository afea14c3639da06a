"""Plain YAML as a tree: what every file of texts, settings and declarations is read with."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final, cast

import yaml

_Safe: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where the package has it (nine times as fast on the services' messages), else the one in Python."""


class BadYaml(ValueError):
    """The text is no YAML, or a key stands in it twice. Says what and where."""


class _Loader(_Safe):
    """No key may stand twice: the later one would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        keys = [str(key.value) for key, _ in cast("list[tuple[yaml.Node, yaml.Node]]", node.value)]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise yaml.YAMLError(f"{twice[0]} stands there twice")
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> object:
    """Mappings, lists and plain values. Raises `BadYaml`."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise BadYaml(str(error)) from error
