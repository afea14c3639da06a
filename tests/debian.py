"""Programs that tests need, from Debian's packages where we may install them."""

from __future__ import annotations

import os
import shutil
import subprocess


def installed(package: str) -> bool:
    """Whether it was tried to install the package. What counts is whether its program is there in the end: of several sources one may be
    out of reach, and the package come from another."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
    ):
        subprocess.run(command, env=quietly, capture_output=True, check=False)
    return True
