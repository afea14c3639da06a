"""One person's way through all services, read from the span files of the embedded profile and shown as a waterfall.

    wegenetz trace CASE            a case's id, that of one of its referrals, or a trace's

Guarantees:

* Works while the services write: a line without its end is left for the next reader, a broken one is skipped.
* Memory does not grow with the files: they are read line by line, and only lines of the case's traces become objects, at most
  `SPANS_READ` of them.
* A trace may touch several cases (a file with a thousand arrivals, a seat that passes to the next in line). Shown is this case's own
  part and what led to it; the parts of others are not.

Times are machine time. The days of the case itself (a virtual year, say) stand in its events, not here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.runtime.ways import SPANS_READ, Scale, Seen, Way, duration, in_order

_TRACE_ID: Final = slice(13, 45)  # a line begins with {"trace_id":"…"
_COLOURS: Final = ("cyan", "green", "yellow", "magenta", "blue", "bright_red", "bright_cyan", "bright_green")
_is_trace: Final = re.compile(r"[0-9a-f]{32}").fullmatch
_DEEPEST_INDENT: Final = 12
_FIXED_WIDTH: Final = 56  # of all columns but what was done and the bar, at their widest


def read_case(traces_dir: Path, id: str) -> Way:
    """The way of a case (its id or that of one of its referrals), of any subject (``kind/id``), or all of a trace. Without steps if
    nothing is known of it."""
    if _is_trace(id):
        subject, traces = "", {id.encode()}
    else:
        subject = id if "/" in id else _subject_of_referral(traces_dir, id) or f"case/{id}"
        mark = f'"subject":"{subject}"'.encode()
        traces = {line[_TRACE_ID] for line in _lines(traces_dir) if mark in line}
    found: dict[str, Seen] = {}
    cut = False
    if traces:
        for line in _lines(traces_dir):
            if line[_TRACE_ID] in traces and (span := _from_line(line)) is not None:
                if len(found) >= SPANS_READ:
                    cut = True
                    break
                found[span.span_id] = span  # a file that is set aside meanwhile may be read twice
    return Way(subject or id, tuple(in_order(found, subject)), cut)


def _subject_of_referral(traces_dir: Path, id: str) -> str | None:
    mark = f'"referral":"{id}"'.encode()
    found = (_from_line(line) for line in _lines(traces_dir) if mark in line)
    return next((span.subject for span in found if span is not None and span.subject), None)


def print_trace(traces_dir: Path, case_id: str, console: Console) -> bool:
    """Show the way of a case. False if there is none to show."""
    way = read_case(traces_dir, case_id)
    if not way.steps:
        console.print(
            f"No span of {way.subject} was found in {traces_dir}. "
            "Is the id right, did the services run with tracing on, and has the case been touched since the files began?",
            markup=False,
            highlight=False,
        )
        return False
    for part in _summary(way):
        console.print(part, highlight=False)
    console.print(_waterfall(way, console.width))
    return True


def _lines(traces_dir: Path) -> Iterator[bytes]:
    """All whole lines, newest file first: a file set aside while we read is met again under its next name, never missed."""
    for path in sorted(traces_dir.glob("*.jsonl*")):
        try:
            with path.open("rb") as file:
                for line in file:
                    if line.endswith(b"\n"):
                        yield line
        except FileNotFoundError:  # the oldest file was dropped meanwhile
            continue


def _from_line(line: bytes) -> Seen | None:
    """None for a line that is not a span: one that a killed process left behind."""
    try:
        span: dict[str, Any] = json.loads(line)
        return Seen(
            trace_id=span["trace_id"],
            span_id=span["span_id"],
            parent=span["parent"],
            name=span["name"],
            start_ns=span["start_ns"],
            end_ns=max(span["start_ns"], span["end_ns"]),  # the machine's clock may be set back in between
            service=span["service"],
            failed=span["status"] == "error",
            subject=span.get("subject", ""),
            outcome=str(span.get("outcome") or span.get("http_status") or ""),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _summary(way: Way) -> Iterable[Text]:
    stretches = way.worked
    whole, worked = stretches[-1][1] - stretches[0][0], sum(end - start for start, end in stretches)
    services = sorted({step.span.service for step in way.steps})
    traces = len({step.span.trace_id for step in way.steps})
    failed = sum(step.span.failed for step in way.steps)
    yield Text(way.subject, style="bold")
    yield Text.assemble(
        f"{_count(len(way.steps), 'step')} in {_count(len(services), 'service')}, {_count(traces, 'trace')}",
        (f", {_count(failed, 'step')} failed" if failed else "", "red"),
        f"; {duration(whole)} from first to last, {duration(worked)} of it worked",
    )
    yield Text("  ").join(Text(f"■ {service}", style=colour) for service, colour in _colours(way).items())
    if way.cut:
        yield Text(f"Its traces are very large: only {SPANS_READ} of their spans were looked at.", style="yellow")


def _waterfall(way: Way, width: int) -> Table:
    bar_cells = 24 if width >= 100 else 0
    table = Table(box=None, padding=(0, 1), expand=False)
    table.add_column("since start", justify="right", no_wrap=True)
    table.add_column("what was done", overflow="ellipsis", max_width=width - _FIXED_WIDTH - bar_cells, no_wrap=True)
    table.add_column("waited", justify="right", style="dim", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("outcome", overflow="ellipsis", max_width=12, no_wrap=True)
    if bar_cells:
        table.add_column("", min_width=bar_cells, no_wrap=True)
    colours, stretches = _colours(way), way.worked
    scale, pauses = Scale(stretches, bar_cells), way.pauses
    for step in way.steps:
        span = step.span
        pause = pauses.pop(span.start_ns, 0)
        if pause:
            table.add_row("", Text(f"… {duration(pause)} later", style="dim italic"))
        colour = colours[span.service]
        table.add_row(
            f"+{duration(span.start_ns - stretches[0][0])}",
            Text.assemble("  " * min(step.depth, _DEEPEST_INDENT), (f"{span.service} ", colour), span.name),
            duration(step.waited_ns) if step.waited_ns else "",
            duration(span.end_ns - span.start_ns),
            Text(span.outcome or ("failed" if span.failed else ""), style="red" if span.failed else ""),
            *([Text(_bar(scale, span), style="red" if span.failed else colour)] if bar_cells else ()),
        )
    return table


def _bar(scale: Scale, span: Seen) -> str:
    first, after = scale.place(span.start_ns, span.end_ns)
    return " " * first + "█" * (after - first)


def _colours(way: Way) -> dict[str, str]:
    services = dict.fromkeys(step.span.service for step in way.steps)
    return {service: _COLOURS[number % len(_COLOURS)] for number, service in enumerate(services)}


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
