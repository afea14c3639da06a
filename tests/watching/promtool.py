"""Finds promtool for the tests of alert rules: the system's, else that of Debian's package where we may install it.

``python -m tests.watching.promtool`` does so and says which; `make test` begins with it, so that no test waits for a download.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import Final

from tests.debian import installed

_PACKAGE: Final = "prometheus"


class NoPromtool(RuntimeError):
    """There is none, and none could be had. The message says what was tried and what to install."""


@dataclass(frozen=True)
class Promtool:
    path: str
    told: str


def on_the_system() -> Promtool | None:
    found = shutil.which("promtool")
    return Promtool(found, f"the system's ({found})") if found else None


def find() -> Promtool:
    """A promtool to test with. Raises `NoPromtool`."""
    found = on_the_system() or _debians()
    if found is None:
        raise NoPromtool(
            "The tests of alert rules need promtool. None is on the path, and Debian's package could not be installed. Install it "
            f"(Debian, Ubuntu: apt install {_PACKAGE}; elsewhere it comes with Prometheus) and run the tests again."
        )
    return found


def _debians() -> Promtool | None:
    found = on_the_system() if installed(_PACKAGE) else None
    return Promtool(found.path, f"that of Debian's package {_PACKAGE}, just installed") if found else None


if __name__ == "__main__":
    try:
        print(f"promtool for the tests of alert rules: {find().told}.")
    except NoPromtool as error:
        sys.exit(str(error))
