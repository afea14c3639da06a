"""A program for tests of the supervisor: answers as a service's health does, and misbehaves as told by files in its folder.

``stub_program.py PORT FOLDER NAME``: `NAME.unwell` makes it answer 503, `NAME.halted` only to ``/health/live``, `NAME.deaf` makes it
ignore a polite stop, `NAME.broken` makes it end at its start. Each start and each stop adds a line to `events`.
"""

from __future__ import annotations

import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import FrameType

PORT, FOLDER, NAME = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]


def is_told(word: str) -> bool:
    return (FOLDER / f"{NAME}.{word}").exists()


def note(event: str) -> None:
    with (FOLDER / "events").open("a", encoding="utf-8") as events:
        events.write(f"{NAME} {event}\n")


def stop(_number: int, _frame: FrameType | None) -> None:
    if not is_told("deaf"):
        note("stops")
        sys.exit(0)


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        refused = is_told("unwell") or (self.path == "/health/live" and is_told("halted"))
        self.send_response(503 if refused else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


note("starts")
if is_told("broken"):
    print("the setting is missing")
    sys.exit(3)
signal.signal(signal.SIGTERM, stop)
HTTPServer(("127.0.0.1", PORT), Health).serve_forever()
