"""Everything that can go wrong with a request, as a problem document (RFC 9457) in the caller's language.

What is guaranteed: each answer of 400 and above is ``application/problem+json`` with a stable `code` and whole sentences from the
catalogue; it never repeats what was sent, since that may be personal data, and never shows how the program failed.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Scope

from services.runtime.catalogue import Catalogue, Language, language_of
from services.runtime.errors import Refused, Transient
from services.runtime.logs import current_traceparent

MEDIA_TYPE: Final = "application/problem+json"
LONGEST_LIST: Final = 100
"""Fields named in one answer, at most."""

RETRY_AFTER_SECONDS: Final = 5


@dataclasses.dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: `field` as a path (``rows.3.birth_date``), `code` of the catalogue's ``field`` part."""

    field: str
    code: str
    params: Mapping[str, object] = dataclasses.field(default_factory=dict[str, object])


class Problem(HTTPException):
    """Raise it to answer with the sentences of ``problem.<code>``. `params` fill them; never give it personal data."""

    def __init__(
        self,
        code: str,
        status: int,
        *,
        fields: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        **params: object,
    ) -> None:
        # An HTTPException, because FastAPI lets only those pass while it reads a body.
        super().__init__(status, code, headers)
        self.code = code
        self.fields = fields
        self.members: Mapping[str, object] = {}
        self.params: Mapping[str, object] = params


def incident_id() -> str:
    """The number under which a failure is found again: the running request's trace id."""
    traceparent = current_traceparent.get()
    return traceparent[3:35] if traceparent else secrets.token_hex(16)


def language(connection: HTTPConnection) -> Language:
    """The language to answer this caller in."""
    return language_of(connection.headers.get("accept-language", ""))


def document(problem: Problem, catalogue: Catalogue, language: Language) -> dict[str, object]:
    """What a caller reads of a problem. Raises `UnknownMessage` when the catalogue lacks its sentences: a mistake in the code."""
    say = catalogue.text
    told: dict[str, object] = {
        "type": f"urn:wegenetz:problem:{problem.code}",
        "title": say(language, f"problem.{problem.code}.title", problem.params),
        "status": problem.status_code,
        "detail": say(language, f"problem.{problem.code}.detail", problem.params),
        "code": problem.code,
        **problem.members,
    }
    if problem.fields:
        told["errors"] = [
            {"field": wrong.field, "message": say(language, f"field.{wrong.code}", wrong.params)}
            for wrong in problem.fields
        ]
    return told


def problem_of(refused: Refused) -> Problem:
    """What a rule's no is to the caller."""
    problem = Problem(refused.code, refused.status)
    problem.params, problem.members = refused.params, refused.members
    return problem


def of_error(error: Exception) -> Problem:
    """What an error of a route is to somebody who reads a page: there, what an address gets wrong is not found."""
    match error:
        case Problem():
            return error
        case Refused():
            return problem_of(error)
        case RequestValidationError():
            return Problem("not-found", 404)
        case HTTPException():
            return _framework_problem(error)
        case _:
            return Problem("unavailable", 503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


class Problems:
    """Turns every error of an application into its answer."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def answer(self, scope: Scope, problem: Problem) -> Response:
        """The problem document. Raises `UnknownMessage` when the catalogue lacks its sentences: a mistake in the code."""
        spoken = language(HTTPConnection(scope))
        return Response(
            json.dumps(document(problem, self._catalogue, spoken), ensure_ascii=False).encode(),
            problem.status_code,
            {**(problem.headers or {}), "content-language": spoken, "vary": "accept-language"},
            MEDIA_TYPE,
        )

    def handle(self, app: FastAPI) -> None:
        """Answer the errors that a route of `app` raises. What is left over is an incident, see `services.runtime.web`."""

        def answering(to_problem: Callable[[Request, Any], Problem]) -> Callable[[Request, Exception], Any]:
            async def handler(request: Request, error: Exception) -> Response:
                return self.answer(request.scope, to_problem(request, error))

            return handler

        for kind in (Problem, Refused, Transient, HTTPException):
            app.add_exception_handler(kind, answering(lambda _, error: of_error(error)))
        app.add_exception_handler(RequestValidationError, answering(self._invalid))

    def _invalid(self, request: Request, error: RequestValidationError) -> Problem:
        found = cast("Sequence[dict[str, Any]]", error.errors())
        if isinstance(error.body, bytes):  # FastAPI decodes JSON and forms; what is still bytes came as something else
            return Problem("unsupported-media-type", 415, expected="application/json")
        if found and found[0]["type"] == "json_invalid":
            return Problem("malformed-json", 400, position=int(found[0]["loc"][-1]) + 1)
        return Problem(
            "invalid-fields", 422, fields=wrong_fields(found, request.app.state.known_names(), self._catalogue)
        )


def wrong_fields(
    errors: Sequence[Mapping[str, Any]], known: frozenset[str], catalogue: Catalogue
) -> list[FieldProblem]:
    """What pydantic found wrong, field by field. `known` are the names of ours; each location begins with where it is (``body``)."""
    return [FieldProblem(_path(one["loc"], known), *_code_and_params(one, catalogue)) for one in errors[:LONGEST_LIST]]


def _code_and_params(error: Mapping[str, Any], catalogue: Catalogue) -> tuple[str, Mapping[str, object]]:
    kind: str = error["type"]
    context = cast("Mapping[str, object]", error.get("ctx") or {})
    code = _FIELD_CODES.get(kind)
    if code is None:
        # A validator of a service may raise PydanticCustomError with a code of its own catalogue, and no values in it.
        return (kind, context) if catalogue.has(f"field.{kind}") else ("invalid", {})
    # Only what the rule says. `error` and the like may quote the input.
    params = {name: context[name] for name in _RULES if name in context}
    if "expected" in params:  # pydantic says: 'red', 'green' or 'blue'
        params["expected"] = str(params["expected"]).replace(" or ", ", ").replace("'", "")
    return code, params


def _framework_problem(error: HTTPException) -> Problem:
    """Starlette's own errors. Their text is English and may quote, so only the status counts."""
    code = _STATUS_CODES.get(error.status_code, "bad-request" if error.status_code < 500 else "unavailable")
    return Problem(code, error.status_code, headers=error.headers)


def _path(location: Sequence[str | int], known: frozenset[str]) -> str:
    """Where the error is, in names of ours: a key that the caller made up may be personal data and is left out."""
    where, *rest = location
    parts = [str(part) for part in rest if isinstance(part, int) or part in known]
    return ".".join(parts) or str(where)


def known_names(app: FastAPI) -> frozenset[str]:
    """Every name of a field or parameter that the application's description mentions."""
    return frozenset(_names(app.openapi()))


def _names(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        tree = cast("dict[str, object]", part)
        properties, name = tree.get("properties"), tree.get("name")
        if isinstance(properties, dict):
            yield from cast("dict[str, object]", properties)
        if isinstance(name, str):
            yield name
        for below in tree.values():
            yield from _names(below)
    elif isinstance(part, list):
        for below in cast("list[object]", part):
            yield from _names(below)


_STATUS_CODES: Final = {404: "not-found", 405: "method-not-allowed"}

_RULES: Final = ("min_length", "max_length", "ge", "gt", "le", "lt", "expected")

# What pydantic calls an error, and our sentence for it.
_FIELD_CODES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "string_type": "text",
    "string_too_short": "text-too-short",
    "string_too_long": "text-too-long",
    "string_pattern_mismatch": "text-pattern",
    "int_type": "whole-number",
    "int_parsing": "whole-number",
    "int_from_float": "whole-number",
    "float_type": "number",
    "float_parsing": "number",
    "finite_number": "number",
    "bool_type": "truth",
    "bool_parsing": "truth",
    "greater_than_equal": "at-least",
    "greater_than": "more-than",
    "less_than_equal": "at-most",
    "less_than": "less-than",
    "date_type": "date",
    "date_parsing": "date",
    "date_from_datetime_parsing": "date",
    "date_from_datetime_inexact": "date",
    "datetime_type": "instant",
    "datetime_parsing": "instant",
    "datetime_from_date_parsing": "instant",
    "timezone_aware": "instant",
    "enum": "choice",
    "literal_error": "choice",
    "uuid_type": "uuid",
    "uuid_parsing": "uuid",
    "list_type": "list",
    "tuple_type": "list",
    "set_type": "list",
    "too_short": "too-few",
    "too_long": "too-many",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
}
