"""JSON log lines in which no personal data can stand.

Guarantees:

* A line is one of the documented ones: `log.info("history.fetched", events=12)` takes a code of `LINES`, whose text is constant.
* Its fields are those of `services.runtime.fields` with values of their shape; anything else is withheld and counted in the line.
* An exception shows its type and frames (file:line:function), and those of its causes; never its text, which may quote a person.
* Lines of libraries come at WARNING and above with their message template, without its arguments. A text that the library put
  together itself (an f-string) is withheld, since data may be in it: a template is shown only if it stands as a constant in the
  code of the function that logs it.
* Crashes, unhandled errors of threads and tasks, and Python's warnings take the same way.
* Writing a line never raises; lines that could not be written are counted in `log.lost`.

Times are machine time. A test holds that every code and every field used in the services is documented in
docs/architecture/telemetry.md.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from types import FrameType, TracebackType
from typing import Final, Literal, TextIO

from services.runtime.failures import describe, place, place_of
from services.runtime.fields import Value, fit
from services.runtime.log_lines import LINES

Level = Literal["debug", "info", "warning", "error"]

_RANK: Final[dict[Level, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

current_traceparent: ContextVar[str | None] = ContextVar("current_traceparent", default=None)
"""The span that the running task works for, as a W3C traceparent; log lines take their trace id from it."""


class Log:
    """The process's log. There is one, `log`; it writes to stdout at level info until `start` says otherwise."""

    def __init__(self) -> None:
        self.lost = 0
        self.last_error: tuple[str, str, float] | None = None
        """Code and type of the exception (or empty) of the last line at level error, and when (machine time, seconds since 1970)."""
        self._identity: dict[str, str] = {}
        self._rank = _RANK["info"]
        self._stream: TextIO | None = None
        self._lock = threading.Lock()

    def start(self, service: str, instance: str, level: Level = "info", stream: TextIO | None = None) -> None:
        """Name the process in every line, and take over what libraries and Python itself write."""
        self._identity = {"service": service, "instance": instance}
        self._rank = _RANK[level]
        self._stream = stream
        adopt_libraries()
        sys.excepthook = _crashed
        threading.excepthook = _thread_crashed
        sys.unraisablehook = _unraisable

    def debug(self, code: str, *, traceparent: str | None = None, **fields: Value) -> None:
        """For a developer following one message; off by default."""
        self._line("debug", code, None, traceparent, fields)

    def info(self, code: str, *, traceparent: str | None = None, **fields: Value) -> None:
        """Something happened that belongs to normal operation."""
        self._line("info", code, None, traceparent, fields)

    def warning(
        self, code: str, *, exception: BaseException | None = None, traceparent: str | None = None, **fields: Value
    ) -> None:
        """Something is not as it should be; the service helps itself."""
        self._line("warning", code, exception, traceparent, fields)

    def error(
        self, code: str, *, exception: BaseException | None = None, traceparent: str | None = None, **fields: Value
    ) -> None:
        """Somebody must look."""
        self._line("error", code, exception, traceparent, fields)

    def _line(
        self,
        level: Level,
        code: str,
        exception: BaseException | None,
        traceparent: str | None,
        fields: dict[str, Value],
    ) -> None:
        if _RANK[level] < self._rank:
            return
        message = LINES.get(code)
        if message is None:
            fields, code, message = {}, "log.undocumented", LINES["log.undocumented"]
        line: dict[str, object] = self._head(level, code, message, traceparent)
        withheld = 0
        for name, value in fields.items():
            fitting = fit(name, value)
            if fitting is not None:
                line[name] = fitting
            elif value is not None:
                withheld += 1
        if withheld:
            line["withheld"] = withheld
        if code == "log.undocumented":
            line["at"] = place_of(sys._getframe(2))  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the documented way to the caller
        if exception is not None:
            line["exception"] = describe(exception)
        if level == "error":
            self.last_error = code, type(exception).__name__ if exception is not None else "", time.time()
        self._write(line)

    def library(self, record: logging.LogRecord, template: str) -> None:
        """A line of a library. `template` is its message without arguments, or empty when it is withheld."""
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        line: dict[str, object] = self._head(level, "library.line", LINES["library.line"], None)
        line["logger"] = record.name
        line["at"] = place(record.pathname, record.lineno, record.funcName)
        line["template"] = template
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe(record.exc_info[1])
        self._write(line)

    def _head(self, level: Level, code: str, message: str, traceparent: str | None) -> dict[str, object]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, object] = {"ts": now, "level": level, **self._identity, "message": message, "code": code}
        traceparent = traceparent or current_traceparent.get()
        if traceparent is not None:
            line["trace_id"], line["span_id"] = traceparent[3:35], traceparent[36:52]
        return line

    def _write(self, line: dict[str, object]) -> None:
        text = _encode(line) + "\n"
        with self._lock:
            try:
                stream = self._stream or sys.stdout
                stream.write(text)
                stream.flush()
            except (OSError, ValueError):  # nobody reads, or the stream is closed: there is no other place to say it
                self.lost += 1


log: Final = Log()


class _Libraries(logging.Handler):
    """Brings the lines of Python's own logging into ours."""

    def emit(self, record: logging.LogRecord) -> None:
        log.library(record, _template(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's signature
        # Logging's own version prints the message with its arguments.
        log.lost += 1


_handler: Final = _Libraries(logging.WARNING)


def adopt_libraries() -> None:
    """Send every library's lines to our log. To be called again after a library has put up handlers of its own."""
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers[:] = [_handler]
    root.setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        if logger.level < logging.WARNING:
            logger.setLevel(logging.NOTSET)


def _template(record: logging.LogRecord) -> str:
    """The message as the library's author wrote it, or nothing if it was put together while running."""
    message: object = record.msg
    if not isinstance(message, str):
        return ""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        code = frame.f_code
        if code.co_filename == record.pathname and code.co_name == record.funcName:
            return message if message in code.co_consts else ""
        frame = frame.f_back
    return ""


def _crashed(_: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    log.error("process.crashed", exception=error.with_traceback(trace))


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None and not isinstance(crash.exc_value, SystemExit):
        log.error("thread.crashed", exception=crash.exc_value)


def _unraisable(failure: sys.UnraisableHookArgs) -> None:
    if failure.exc_value is not None:
        log.error("process.unraisable", exception=failure.exc_value)
