"""What may be shown of an exception: its type and where it happened. Never its text, which may quote a person's data."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Final, cast

FRAMES: Final = 12
CAUSES: Final = 4


def describe(error: BaseException) -> dict[str, object]:
    """Type and innermost frames of an exception, and of what caused it: at most `FRAMES` frames and `CAUSES` causes each."""
    described = _one(error)
    causes: list[dict[str, object]] = []
    seen = {id(error)}
    waiting = _causes(error)
    while waiting and len(causes) < CAUSES:
        cause = waiting.pop(0)
        if id(cause) not in seen:
            seen.add(id(cause))
            causes.append(_one(cause))
            waiting += _causes(cause)
    if causes:
        described["causes"] = causes
    return described


def type_name(error: BaseException) -> str:
    """The exception's class with its module, as an import would name it."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def place_of(frame: FrameType) -> str:
    """file:line:function, the file as seen from where Python finds it (a home directory would name a person)."""
    return place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def place(file: str, line: int, function: str) -> str:
    """The same from its parts."""
    return f"{_seen_from_path(file)}:{line}:{function}"


def _one(error: BaseException) -> dict[str, object]:
    places: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(place(code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return {"type": type_name(error), "frames": places[-FRAMES:]}


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    if isinstance(error, BaseExceptionGroup):
        causes += cast("BaseExceptionGroup[BaseException]", error).exceptions
    if error.__cause__ is not None:
        causes.append(error.__cause__)
    elif error.__context__ is not None and not error.__suppress_context__:
        causes.append(error.__context__)
    return causes


def _seen_from_path(file: str) -> str:
    roots = [root for root in {os.getcwd(), *sys.path} if root and file.startswith(root.rstrip(os.sep) + os.sep)]
    if roots:
        return os.path.relpath(file, max(roots, key=len))
    return os.path.basename(file)
