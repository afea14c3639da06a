"""What an application's OpenAPI document says beside what FastAPI reads from the routes.

The key of a command is required there (FastAPI describes it as optional, because leaving it out has an answer of its own), the body of an
upload is described as a file, and each operation has the examples of its service: ``examples.yaml`` beside the service's code, by
operation (``PUT /v1/offers/{offer}``), with `request`, `answer`, or both. A test holds them against the schemas.

It is made when somebody asks for it first, in `Described`: a start needs none, and making it costs as much as all routes together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from schemas.plain_yaml import read_yaml
from services.runtime.limits import takes_an_upload

KEY_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}

_FILE: Final = {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}

Examples = Mapping[str, Mapping[str, Any]]


_OWN: Final = Path(__file__).with_name("examples.yaml")


def examples_in(file: Path) -> Examples:
    """The examples of a service, if it has any, and those of every service."""
    found: dict[str, Mapping[str, Any]] = {}
    for one in (_OWN, file):
        if one.exists():
            found |= cast("Examples", read_yaml(one.read_text(encoding="utf-8")))
    return found


class Described(FastAPI):
    """An application whose document is finished as above. `examples`: the file of its service."""

    examples: Path | None = None

    def openapi(self) -> dict[str, Any]:
        """The document. FastAPI makes it once, as long as no route is added; what is changed in it stays."""
        before = self.openapi_schema
        document = super().openapi()
        if document is not before:
            _finish(document, self.routes, examples_in(self.examples) if self.examples is not None else {})
        return document


def _finish(document: dict[str, Any], routes: Sequence[BaseRoute], examples: Examples) -> None:
    uploads = {
        (method.lower(), one.path)
        for one in iter_route_contexts(routes)
        if takes_an_upload(one.endpoint)
        for method in one.methods or ()
    }
    for method, path, operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == "idempotency-key":
                parameter |= {"required": True, "schema": dict(KEY_SCHEMA), "example": "2f1c7e0a-1"}
        if (method, path) in uploads:
            operation["requestBody"] = dict(_FILE)
        _add_examples(operation, examples.get(f"{method.upper()} {path}", {}))


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document.get("paths", {}).items():
        for method, operation in operations.items():
            yield method, path, operation


def _add_examples(operation: dict[str, Any], told: Mapping[str, Any]) -> None:
    if "request" in told:
        body = operation.setdefault("requestBody", {"content": {"application/json": {"schema": {}}}})
        body["content"]["application/json"]["example"] = told["request"]
    if "answer" in told:
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                answer["content"]["application/json"]["example"] = told["answer"]
