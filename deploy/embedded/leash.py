"""``python leash.py PARENT COMMAND…`` becomes COMMAND, and the kernel kills that when process PARENT ends (Linux).

A program of its own and not a function between fork and exec, because a parent with threads may not run Python there.
It must be started by a thread that lives as long as the parent: the kernel watches the thread that forked.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the line above
            raise SystemExit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
