"""The committed documents: what the classes say, the same on every machine, with examples that fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import yaml
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator, FormatChecker

from schemas.compare import compare, main
from schemas.contract import HERE, examples, schema_path
from schemas.envelope import Envelope
from schemas.events import CATALOGUE
from schemas.topics import readers_of, topics

TYPES = pytest.mark.parametrize("event_type", CATALOGUE)
ASYNCAPI: dict[str, Any] = yaml.safe_load((HERE / "asyncapi.yaml").read_text(encoding="utf-8"))


def committed_schema(event_type: str) -> dict[str, Any]:
    return json.loads((HERE / schema_path(event_type)).read_text(encoding="utf-8"))


def references_of(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in references_of(value)]
    if isinstance(node, list):
        return [found for value in node for found in references_of(value)]
    return []


def at(pointer: str) -> Any:
    """What a local reference of the AsyncAPI document points at; KeyError if nothing is there."""
    node: Any = ASYNCAPI
    for part in pointer.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_the_committed_files_are_what_the_classes_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare() == []
    assert main() == 0
    assert capsys.readouterr().out.startswith(f"{len(CATALOGUE)} event types")


def test_the_documents_do_not_depend_on_the_run() -> None:
    program = (
        "import sys; from schemas.contract import documents, examples;"
        "sys.stdout.write(repr(sorted(documents(examples()).items())))"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=HERE.parent,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    )
    assert first
    assert first == second


@TYPES
def test_an_example_fits_its_schema_and_its_class_and_shows_every_field(event_type: str) -> None:
    schema, example = committed_schema(event_type), examples()[event_type]
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(example)
    parsed = CATALOGUE[event_type].model_validate(example)
    assert example.keys() == CATALOGUE[event_type].model_fields.keys()
    assert parsed.model_dump(mode="json") == example


@TYPES
def test_an_example_without_a_required_field_fits_neither(event_type: str) -> None:
    schema, example = committed_schema(event_type), examples()[event_type]
    for name in schema.get("required", ()):
        without = {key: value for key, value in example.items() if key != name}
        assert not Draft202012Validator(schema).is_valid(without)
        with pytest.raises(ValueError, match=name):
            CATALOGUE[event_type].model_validate(without)


def test_the_asyncapi_document_is_one_of_version_3() -> None:
    described = ApplicationSchema.model_validate(ASYNCAPI)
    assert described.asyncapi == "3.0.0"
    assert {channel.address for channel in described.channels.values()} == topics().keys()


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    references = references_of(ASYNCAPI)
    assert len(references) > len(CATALOGUE) * 4
    for reference in references:
        if reference.startswith("#/"):
            assert at(reference)
        else:
            assert (HERE / reference).is_file()


def test_operations_are_the_owners_and_readers_of_the_topics() -> None:
    owners: dict[str, set[str]] = {}
    readers: dict[str, set[str]] = {name: set() for name in CATALOGUE}
    for name, operation in ASYNCAPI["operations"].items():
        service = name.split(".")[0]
        messages = [at(at(message["$ref"])["$ref"])["name"] for message in operation["messages"]]
        if operation["action"] == "send":
            owners[service] = set(messages)
        else:
            for message in messages:
                readers[message].add(service)
    assert owners == {
        topic.owner: {name for name in CATALOGUE if name.startswith(f"wegenetz.{topic.owner}.")}
        for topic in topics().values()
    }
    assert {name: tuple(sorted(services)) for name, services in readers.items()} == {
        name: readers_of(name) for name in CATALOGUE
    }


@TYPES
def test_a_message_has_the_headers_of_an_envelope_and_its_example_fits_them(event_type: str) -> None:
    message = ASYNCAPI["components"]["messages"][event_type]
    (example,) = message["examples"]
    headers = message["headers"] | {"components": ASYNCAPI["components"]}
    checked = Draft202012Validator(headers)
    checked.validate(example["headers"])
    for name in example["headers"]:
        if name.startswith("ce_"):
            assert not checked.is_valid({other: value for other, value in example["headers"].items() if other != name})
            assert not checked.is_valid(example["headers"] | {name: ""})
    envelope = Envelope.from_headers((name, value.encode()) for name, value in example["headers"].items())
    assert envelope.type == event_type
    assert envelope.subject.kind == CATALOGUE[event_type].SUBJECT
    assert example["payload"] == examples()[event_type]
