"""``python -m schemas.compare``: are the committed JSON Schemas and AsyncAPI document what the classes and topics say?

If not, it names each event type that differs, the services that read it, what differs and what to do about it, and exits
with 1. It writes nothing: `schemas.publish` does.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from schemas.contract import HERE, documents, examples, schema_path
from schemas.events import CATALOGUE
from schemas.fields import Difference, differences
from schemas.topics import UnknownSubscription, readers_of, subscriptions, topics

_RULE: Final = (
    "What to do: until release 1.0 a change of more than optional fields and words takes a decision record in docs/decisions;\n"
    "from 1.0 on it takes a new version of the type. Follow the order given above, run `python -m schemas.publish` and commit\n"
    "what it writes together with the change.\n"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit: an event type with its readers, or a file (then `readers` is None)."""

    about: str
    readers: tuple[str, ...] | None
    differences: tuple[Difference, ...]


def compare(folder: Path = HERE) -> list[Finding]:
    """What in this folder differs from the classes and topics; nothing when all fits."""
    shown = examples(folder)
    generated = documents(shown)
    found = [*_subscriptions(), *_event_types(folder, generated), *_examples(shown)]
    committed = folder / "asyncapi.yaml"
    if not found and (not committed.exists() or committed.read_text(encoding="utf-8") != generated["asyncapi.yaml"]):
        what = "is not what the classes, topics.yaml and the examples say"
        found.append(_file("schemas/asyncapi.yaml", what, "Look at what changed in those, then write it again."))
    return found


def report(found: list[Finding]) -> str:
    """The findings for a person to read."""
    lines: list[str] = []
    for finding in found:
        lines.append(finding.about)
        if finding.readers is not None:
            lines.append(f"  read by: {', '.join(finding.readers) or 'nobody'}")
        for difference in finding.differences:
            lines += [f"  - {difference.what}", f"    {difference.remedy}"]
        lines.append("")
    return "\n".join([*lines, _RULE])


def _event_types(folder: Path, generated: dict[str, str]) -> list[Finding]:
    committed = {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("json/*.json"))}
    found: list[Finding] = []
    for name in [*CATALOGUE, *(name for name in committed if name not in CATALOGUE)]:
        text = generated.get(schema_path(name))
        if text == committed.get(name):
            continue
        found.append(Finding(name, readers_of(name), _differences(committed.get(name), text)))
    return found


def _differences(before: str | None, after: str | None) -> tuple[Difference, ...]:
    if before is None:
        remedy = "Name its readers in schemas/topics.yaml; bring out those readers first, then the owner."
        return (Difference("new event type", remedy),)
    if after is None:
        remedy = (
            "Bring out readers that no longer subscribe to it; keep the class while histories may still send it again."
        )
        return (Difference("event type removed", remedy),)
    found = differences(json.loads(before), json.loads(after))
    return tuple(found) or (Difference("only words or their order changed", "Nobody has to do anything."),)


def _examples(shown: dict[str, dict[str, object]]) -> list[Finding]:
    found: list[Finding] = []
    for name, event in CATALOGUE.items():
        path = f"schemas/examples/{name}.json"
        if name not in shown:
            found.append(_file(path, "is missing", "Write the payload of one event of this type, with every field."))
            continue
        try:
            event.model_validate(shown[name])
        except ValidationError as error:
            places = sorted({".".join(str(part) for part in problem["loc"]) or "payload" for problem in error.errors()})
            found.append(_file(path, f"does not fit its class at {', '.join(places)}", "Correct the example."))
    found.extend(
        _file(f"schemas/examples/{name}.json", "belongs to no event type", "Remove it, or rename it.")
        for name in shown
        if name not in CATALOGUE
    )
    return found


def _subscriptions() -> list[Finding]:
    found: list[Finding] = []
    for service in sorted({topic.owner for topic in topics().values()}):
        try:
            subscriptions(service)
        except UnknownSubscription as error:
            found.append(_file("schemas/topics.yaml", str(error), "A service that subscribes to it cannot start."))
    return found


def _file(path: str, what: str, remedy: str) -> Finding:
    return Finding(path, None, (Difference(what, remedy),))


def main(folder: Path = HERE) -> int:
    """The command; its exit code."""
    found = compare(folder)
    if not found:
        sys.stdout.write(f"{len(CATALOGUE)} event types: schemas, examples and AsyncAPI are what the classes say.\n")
        return 0
    sys.stdout.write(report(found))
    return 1


if __name__ == "__main__":
    sys.exit(main())
