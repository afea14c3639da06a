"""``python -m schemas.publish``: writes the JSON Schemas and the AsyncAPI document, after saying who reads what has changed.

Run it after a change in `schemas/events.py`, `schemas/codes.py`, `schemas/topics.yaml` or `schemas/examples`, and commit what it
wrote with the change.
"""

from __future__ import annotations

import sys
from pathlib import Path

from schemas.compare import compare, report
from schemas.contract import HERE, documents, examples


def publish(folder: Path = HERE) -> list[str]:
    """Make the generated files what the classes say, and give the paths that changed. Files of types that are gone, go."""
    texts = documents(examples(folder))
    changed: list[str] = []
    for path, text in texts.items():
        file = folder / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            changed.append(path)
    for file in sorted(folder.glob("json/*.json")):
        path = file.relative_to(folder).as_posix()
        if path not in texts:
            file.unlink()
            changed.append(path)
    return changed


def main(folder: Path = HERE) -> int:
    """The command; its exit code."""
    found = compare(folder)
    if found:
        sys.stdout.write(report(found) + "\n")
    changed = publish(folder)
    for path in changed:
        sys.stdout.write(f"written: schemas/{path}\n")
    if not changed:
        sys.stdout.write("Nothing to write: the files are what the classes say.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
