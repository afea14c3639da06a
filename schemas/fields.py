"""A JSON Schema as its list of fields, and what differs between two of them, in words and with what to do about it.

Only what pydantic writes for event classes is understood: objects, arrays, alternatives, enumerations, local references.
Descriptions are no difference here. Events live on after a change, in topics for up to 30 days and in the histories of their
owners for longer, so each remedy looks at readers of old events as well as at old readers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

_FREE: Final = "Readers ignore what they do not know: owner and readers may go out in any order."
_ALREADY_SENT: Final = (
    "Events already sent lack it and could no longer be read: give it a default, or make it a new version."
)
_REMOVED: Final = "First every reader stops using it, then the owner stops sending it."
_CODE_ADDED: Final = "A reader refuses a code that it does not know: bring out the readers first, then the owner."
_CODE_REMOVED: Final = "Events already sent carry it: keep the code and only stop sending it."
_OPTIONAL: Final = "A reader may count on it: bring out the readers first, then the owner."
_RETYPED: Final = (
    "Neither old events nor old readers fit: make it a new version, or let the readers take both forms first."
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, and what to do."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field: whether it is always there, its form (as compact JSON Schema) and the codes that it may have."""

    required: bool
    form: str
    codes: frozenset[str]


def differences(before: Json, after: Json) -> list[Difference]:
    """What a reader of `before` finds changed in `after`, in the order of their fields."""
    old, new = dict(_fields(before, before, "")), dict(_fields(after, after, ""))
    found: list[Difference] = []
    for path in [*old, *(path for path in new if path not in old)]:
        if path not in new:
            found.append(Difference(f"field `{path}` removed", _REMOVED))
        elif path not in old:
            found.append(_added(path, new[path]))
        else:
            found.extend(_changed(path, old[path], new[path]))
    return found


def _added(path: str, field: Field) -> Difference:
    if field.required:
        return Difference(f"field `{path}` added, required", _ALREADY_SENT)
    return Difference(f"field `{path}` added, optional", _FREE)


def _changed(path: str, old: Field, new: Field) -> Iterator[Difference]:
    if old.form != new.form:
        yield Difference(f"type of `{path}` changed from {old.form} to {new.form}", _RETYPED)
    if new.codes - old.codes:
        yield Difference(f"`{path}` may also be {_listed(new.codes - old.codes)}", _CODE_ADDED)
    if old.codes - new.codes:
        yield Difference(f"`{path}` may no longer be {_listed(old.codes - new.codes)}", _CODE_REMOVED)
    if new.required and not old.required:
        yield Difference(f"field `{path}` is now required", _ALREADY_SENT)
    if old.required and not new.required:
        yield Difference(f"field `{path}` is now optional", _OPTIONAL)


def _listed(codes: frozenset[str]) -> str:
    return ", ".join(f"`{code}`" for code in sorted(codes))


def _fields(root: Json, node: Json, prefix: str) -> Iterator[tuple[str, Field]]:
    """Every field below an object, those of objects inside it included (`german.reading`, `dates[].day`)."""
    node = _resolved(root, node)
    required = node.get("required", ())
    for name, child in node.get("properties", {}).items():
        path = f"{prefix}{name}"
        codes: set[str] = set()
        form = _form(root, child, codes)
        yield path, Field(name in required, json.dumps(form, sort_keys=True, ensure_ascii=False), frozenset(codes))
        for inner, brackets in _inside(root, child):
            yield from _fields(root, inner, f"{path}{brackets}.")


def _inside(root: Json, node: Json) -> Iterator[tuple[Json, str]]:
    """The objects that a field may hold, directly, as an alternative or in an array."""
    node = _resolved(root, node)
    if "properties" in node:
        yield node, ""
    for option in node.get("anyOf", ()):
        yield from _inside(root, option)
    if "items" in node:
        for inner, brackets in _inside(root, node["items"]):
            yield inner, f"[]{brackets}"


def _form(root: Json, node: Json, codes: set[str]) -> Json:
    """The node without words, with references put in; enumerated codes go to `codes`, the fields of objects stand elsewhere."""
    node = _resolved(root, node)
    form: Json = {}
    for key, value in node.items():
        if key in {"title", "description", "properties", "required"}:
            continue
        if key == "enum":
            codes.update(str(code) for code in value)
        elif key == "const":
            codes.add(str(value))
        elif key == "anyOf":
            form[key] = [_form(root, option, codes) for option in value]
        elif key == "items":
            form[key] = _form(root, value, codes)
        else:
            form[key] = value
    return form


def _resolved(root: Json, node: Json) -> Json:
    if "$ref" not in node:
        return node
    name = node["$ref"].removeprefix("#/$defs/")
    beside = {key: value for key, value in node.items() if key != "$ref"}
    return root["$defs"][name] | beside
