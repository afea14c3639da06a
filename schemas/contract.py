"""What the event classes and `topics.yaml` amount to as documents: a JSON Schema per event version, and one AsyncAPI document.

`documents` gives the same text for the same classes, topics and examples, whatever the machine; nothing here writes a file.
`schemas.publish` does, and `schemas.compare` holds the committed files against it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic.json_schema import GenerateJsonSchema

from schemas.asyncapi import describe
from schemas.events import CATALOGUE, EventData
from schemas.topics import topics

HERE: Final = Path(__file__).parent
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Json = dict[str, Any]


def json_schema(event: type[EventData]) -> Json:
    """What a reader may rely on in this type: fields without a default are required, others may be missing."""
    described = event.model_json_schema(schema_generator=_WithoutFieldTitles, mode="validation")
    return {"$schema": DIALECT, "$id": f"urn:wegenetz:event:{event.TYPE}"} | described


def examples(folder: Path = HERE) -> dict[str, Json]:
    """The example payloads, by event type."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("examples/*.json"))}


def documents(examples: Mapping[str, Json]) -> dict[str, str]:
    """The text of every generated file, by its path below `schemas/`."""
    texts = {schema_path(name): _json_text(json_schema(event)) for name, event in CATALOGUE.items()}
    texts["asyncapi.yaml"] = _yaml_text(describe(topics(), CATALOGUE, examples))
    return texts


def schema_path(event_type: str) -> str:
    """Where a type's JSON Schema lies below `schemas/`."""
    return f"json/{event_type}.json"


class _WithoutFieldTitles(GenerateJsonSchema):
    """The title of a field would only repeat its name."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic asks for each field
        return False


def _json_text(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _yaml_text(document: Json) -> str:
    heading = (
        "# Written by `python -m schemas.publish` from schemas/events.py, schemas/topics.yaml and schemas/examples.\n"
    )
    return heading + yaml.dump(document, Dumper=_PlainYaml, sort_keys=False, allow_unicode=True, width=120)


class _PlainYaml(yaml.SafeDumper):
    """YAML that every reader takes alike.

    Each value is written out where it occurs, so that a message can be read by itself; text that begins like a number is
    quoted, because YAML 1.2 reads the county 03459 as 3459.
    """

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML asks for each value
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """The node for a text."""
        return yaml.ScalarNode("tag:yaml.org,2002:str", text, style="'" if text[:1].isdigit() else None)


_PlainYaml.add_representer(str, _PlainYaml.represent_text)
