"""Ports that stay ours: the kernel keeps each one for us until a child listens on it, and between a child's lives.

A port that was merely free a moment ago can be taken before the child binds it, by another copy of the system or by an
outgoing connection. So the parent binds it first, without ``SO_REUSEADDR`` (nobody else's port can be bound that way), then
allows reuse and never listens: Linux lets a child that sets ``SO_REUSEADDR`` (all of ours do) bind and listen beside it,
and refuses it to everybody who asks for a port as we do. Elsewhere the port is let go at once, which is as good as it gets there.
"""

from __future__ import annotations

import random
import socket
import sys
from typing import Final

from deploy.refusals import CannotDo

LOOPBACK: Final = "127.0.0.1"
_FIRST, _LAST = 20_000, 31_999
"""Below the range from which Linux takes the ports of outgoing connections (32,768 and above)."""


class NoFreePort(CannotDo):
    """No port of the range could be bound."""


class ReservedPort:
    """A port on the loopback address. `close` gives it back."""

    def __init__(self, held: socket.socket) -> None:
        self.number: Final[int] = held.getsockname()[1]
        self._held = held
        if sys.platform == "linux":
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            held.close()

    def close(self) -> None:
        self._held.close()


def reserve(preferred: int | None = None) -> ReservedPort:
    """The preferred port if it is free, which it is not within a minute of its last use, else any free one."""
    candidates = [preferred] if preferred else []
    candidates += random.sample(range(_FIRST, _LAST + 1), 200)
    for number in candidates:
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            held.bind((LOOPBACK, number))
        except OSError:
            held.close()
            continue
        return ReservedPort(held)
    raise NoFreePort(f"No free port between {_FIRST} and {_LAST} on {LOOPBACK}.")
