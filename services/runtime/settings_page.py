"""`docs/architecture/settings.md`, made from the settings themselves:

python -m services.runtime.settings_page > docs/architecture/settings.md
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import NoneType
from typing import Final, Literal, cast, get_args, get_origin

from pydantic import AwareDatetime, SecretStr

from services.runtime.settings import Settings
from services.runtime.settings_problems import variable


def document() -> str:
    """All settings as Markdown, a table for each group, in the order of their declaration."""
    rows: dict[str, list[str]] = {}
    for name, field in Settings.model_fields.items():
        extra = cast("dict[str, str]", field.json_schema_extra)
        default = extra.get("default_in_words") or ("required" if field.is_required() else _as_written(field.default))
        cells = (f"`{variable(name)}`", _kind(field.annotation), default, field.description or "")
        rows.setdefault(extra["group"], []).append(f"| {' | '.join(cells)} |")
    return _PREFACE + "".join(
        f"\n## {group}\n\n{_HEADINGS}\n" + "\n".join(lines) + "\n" for group, lines in rows.items()
    )


_PREFACE: Final = f"""# Settings

Every setting of a process is an environment variable, or a file in `{variable("secrets_dir")}`. This page is made from
`services/runtime/settings.py` by `python -m services.runtime.settings_page > docs/architecture/settings.md`.

A process that is not set up well does not start: it names everything that has to be mended, and never the value of a
secret.
"""

_HEADINGS: Final = "| Variable | Kind | Default | Meaning |\n|---|---|---|---|"

_KINDS: Final[dict[object, str]] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    Path: "path",
    SecretStr: "secret",
    AwareDatetime: "instant",
}


def _as_written(default: object) -> str:
    """A default as one would write it into the environment."""
    if isinstance(default, SecretStr):
        return f"`{default.get_secret_value()}`"
    if isinstance(default, tuple | dict) and default:
        return f"`{json.dumps(default)}`"
    return f"`{default}`" if isinstance(default, str | int | float) else "none"


def _kind(annotation: object) -> str:
    choices = get_args(annotation)
    if NoneType in choices:
        return _kind(choices[0])
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in choices)
    return _KINDS.get(annotation, "JSON")


if __name__ == "__main__":
    sys.stdout.write(document())
