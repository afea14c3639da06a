"""Prints the part of `requirements.lock` that the services need, with its hashes, and nothing that only an extra of `pyproject.toml` needs.

Needs Python alone: the image is built from it (`Dockerfile`), and `make sbom` lists it. What needs what is read from the lock's own
comments (``# via``); a package that an optional part of another one needs comes along.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_ENTRY: Final = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_VIA: Final = re.compile(r"^    # (?:via )? *([A-Za-z0-9._-]+)", re.MULTILINE)


def needed(lock: str, project: str) -> str:
    """The entries of `lock` that what `project` (the text of pyproject.toml) names as its dependencies rests on."""
    begins = [match.start() for match in _ENTRY.finditer(lock)]
    entries = {_name(lock[a:b]): lock[a:b] for a, b in zip(begins, [*begins[1:], len(lock)], strict=True)}
    wanted = {_name(one) for one in tomllib.loads(project)["project"]["dependencies"]}
    while more := {
        name
        for name, entry in entries.items()
        if name not in wanted and wanted & {_name(one) for one in _VIA.findall(entry)}
    }:
        wanted |= more
    if missing := wanted - entries.keys():
        raise LookupError(f"The lock lacks {', '.join(sorted(missing))}. Run: make lock")
    return "".join(entry for name, entry in entries.items() if name in wanted)


def _name(requirement: str) -> str:
    """As the registry compares names (PEP 503)."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def main() -> None:
    lock, project = (ROOT / "requirements.lock").read_text("utf-8"), (ROOT / "pyproject.toml").read_text("utf-8")
    sys.stdout.write(needed(lock, project))


if __name__ == "__main__":
    main()
