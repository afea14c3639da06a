"""Finds a Chromium for the tests of pages: the system's, else Debian's package where we may install it, else Playwright's own download.

``python -m tests.pages.chromium`` does so and says which; `make test` begins with it, so that no test waits for a download.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from tests.debian import installed

_NAMES: Final = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "headless_shell",
)
_PACKAGE: Final = "chromium-headless-shell"


class NoChromium(RuntimeError):
    """There is none, and none could be had. The message says what was tried."""


@dataclass(frozen=True)
class Chromium:
    """`path` is None for the one that Playwright brought itself."""

    path: str | None
    told: str


def on_the_system() -> Chromium | None:
    """The first one on the path."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return Chromium(found, f"the system's ({found})") if found else None


def find() -> Chromium:
    """A Chromium to test with. Raises `NoChromium`."""
    return on_the_system() or _debians() or _playwrights()


def _debians() -> Chromium | None:
    found = on_the_system() if installed(_PACKAGE) else None
    return Chromium(found.path, f"Debian's package {_PACKAGE}, just installed") if found else None


def _playwrights() -> Chromium:
    command = [sys.executable, "-m", "playwright", "install", "chromium-headless-shell"]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        raise NoChromium(
            "The tests of pages need a Chromium. None is on the path, Debian's package could not be installed, and neither could "
            f"Playwright's. Install one (Debian, Ubuntu: apt install {_PACKAGE}) and run the tests again."
        )
    return Chromium(None, "Playwright's own download")


if __name__ == "__main__":
    try:
        print(f"Chromium for the tests of pages: {find().told}.")
    except NoChromium as error:
        sys.exit(str(error))
