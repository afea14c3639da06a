"""The span store of the embedded profile: one JSON line a span, in a file that a running service appends to.

Guarantees:

* A line is written whole, with its end of line last: a reader that skips a last line without one never sees half a span.
* A process that was killed in the middle of a line does not spoil the next one.
* The files of one service instance never hold more than `KEPT_FILES` times `FILE_BYTES`; ``x.jsonl`` is the newest, then
  ``x.jsonl.1`` and so on.
* Only fields of `services.runtime.fields` are written.

A line begins with ``{"trace_id":"<32 hexadecimal digits>"``, so that a reader can pick traces without reading JSON. Keys: trace_id,
span_id, parent (null at the start of a trace), name, start_ns, end_ns (machine time, ns since 1970), service, instance, status
(``ok`` or ``error``), the span's fields, and links (a list of ``<trace id>-<span id>``) if there are any.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from io import BufferedWriter
from pathlib import Path
from typing import Final

from services.runtime.fields import fit, is_span_name
from services.runtime.spans import Span, is_traceparent

_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*").fullmatch

FILE_BYTES: Final = 32 * 1024 * 1024
KEPT_FILES: Final = 4


class SpanFile:
    """Appends spans to `path`. One process writes one file."""

    def __init__(self, path: Path, service: str, instance: str, file_bytes: int = FILE_BYTES) -> None:
        self._path = path
        self._who = f'"service":"{_word(service)}","instance":"{_word(instance)}"'
        self._file_bytes = file_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _open_at_line_start(path)

    def write(self, spans: Sequence[Span], /) -> None:
        block = "".join([self._line(span) for span in spans]).encode()
        if self._file.tell() and self._file.tell() + len(block) > self._file_bytes:
            self._rotate()
        self._file.write(block)
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _line(self, span: Span) -> str:
        # Put together by hand, at half the cost of a JSON encoder: no shape of a field admits what JSON would have to escape.
        parent = f'"{span.parent_id}"' if span.parent_id else "null"
        name = span.name if is_span_name(span.name) else "withheld"
        line = (
            f'{{"trace_id":"{span.trace_id}","span_id":"{span.span_id}","parent":{parent},"name":"{name}",'
            f'"start_ns":{span.start_ns},"end_ns":{span.end_ns},{self._who},"status":"{"error" if span.failed else "ok"}"'
        )
        for key, value in span.attributes.items():
            fitting = fit(key, value) if value else None
            if fitting is not None:
                line += f',"{key}":"{fitting}"' if isinstance(fitting, str) else f',"{key}":{fitting}'
        links = [f'"{link[3:52]}"' for link in span.links if is_traceparent(link)]
        if links:
            line += f',"links":[{",".join(links)}]'
        return line + "}\n"

    def _rotate(self) -> None:
        self._file.close()
        try:
            for number in range(KEPT_FILES - 1, 0, -1):
                older = self._numbered(number - 1)
                if older.exists():
                    os.replace(older, self._numbered(number))
        finally:
            self._file = _open_at_line_start(self._path)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


def _open_at_line_start(path: Path) -> BufferedWriter:
    """Open for appending, and end a line that a killed process left unfinished."""
    file = path.open("ab")
    if file.tell():
        with path.open("rb") as reader:
            reader.seek(-1, os.SEEK_END)
            if reader.read(1) != b"\n":
                file.write(b"\n")
                file.flush()
    return file


def _word(text: str) -> str:
    """A service's or an instance's name, as it may stand in a line."""
    return text if _WORD(text) else "unnamed"
