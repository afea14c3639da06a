"""Statements about things (RDF), and how they are written: JSON-LD 1.1 and Turtle. The same bytes for the same statements.

A thing is a `Node`: with an address, or without one where nobody needs to refer to it (a blank node, written within the one that it belongs
to). Properties and datatypes are compact names (``dcterms:title``) of the prefixes below.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from schemas.labels import Label

PREFIXES: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatde": "http://dcat-ap.de/def/dcatde/",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


@dataclass(frozen=True, slots=True)
class Iri:
    """Another thing, by its address."""

    address: str


@dataclass(frozen=True, slots=True)
class Words:
    """A text in a language."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A value by its datatype: ``xsd:date``."""

    text: str
    type: str


@dataclass(frozen=True, slots=True)
class Node:
    """A thing of a class, with what is said of it: property and value, in the order in which it is written."""

    type: str
    said: tuple[tuple[str, Value], ...]
    address: str | None = None


Value = Iri | Words | Typed | Node | str


def in_both(property: str, label: Label) -> Iterator[tuple[str, Value]]:
    """A property in German and in English."""
    yield property, Words(label.de, "de")
    yield property, Words(label.en, "en")


def json_ld(nodes: Iterable[Node]) -> bytes:
    return json.dumps({"@context": PREFIXES, "@graph": [_object(node) for node in nodes]}, ensure_ascii=False).encode()


def turtle(nodes: Iterable[Node]) -> bytes:
    prefixes = "".join(f"@prefix {name}: <{address}> .\n" for name, address in PREFIXES.items())
    things = "".join(f"\n<{_address(node.address or '')}>\n{_sentences(node, 2)} .\n" for node in nodes)
    return (prefixes + things).encode()


# --- JSON-LD -----------------------------------------------------------------------------------------------------------------


def _object(value: Value) -> Any:
    match value:
        case Iri(address):
            return {"@id": address}
        case Words(text, language):
            return {"@value": text, "@language": language}
        case Typed(text, type):
            return {"@value": text, "@type": type}
        case Node(type, said, address):
            found: dict[str, Any] = {"@type": type} if address is None else {"@id": address, "@type": type}
            for property, what in said:
                found.setdefault(property, []).append(_object(what))
            return found
        case str():
            return value


# --- Turtle ------------------------------------------------------------------------------------------------------------------


def _sentences(node: Node, indent: int) -> str:
    lines = [f"a {node.type}", *(f"{property} {_term(value, indent)}" for property, value in node.said)]
    return " ;\n".join(" " * indent + line for line in lines)


def _term(value: Value, indent: int) -> str:
    match value:
        case Iri(address):
            return f"<{_address(address)}>"
        case Words(text, language):
            return f"{_quoted(text)}@{language}"
        case Typed(text, type):
            return f"{_quoted(text)}^^{type}"
        case Node(_, _, None):
            return f"[\n{_sentences(value, indent + 2)}\n{' ' * indent}]"
        case Node():
            raise ValueError("a thing with an address stands by itself; refer to it by its Iri")
        case str():
            return _quoted(value)


def _quoted(text: str) -> str:
    # JSON escapes quotes, backslashes, line ends and code points as Turtle does.
    return json.dumps(text, ensure_ascii=False)


def _address(address: str) -> str:
    """An address without the characters that may not stand in one (Turtle, IRIREF)."""
    return "".join(f"%{ord(one):02X}" if one in '<>"{}|^`\\' or one <= " " else one for one in address)
