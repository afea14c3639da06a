"""One person's way through all services, read from the span files of the embedded profile and shown as a waterfall.

    wegenetz trace CASE

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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

SPANS_READ: Final = 50_000
PAUSE_NS: Final = 1_000_000_000
"""A stretch of this length in which no service worked gets a line of its own."""

_TRACE_ID: Final = slice(13, 45)  # a line begins with {"trace_id":"…"
_COLOURS: Final = ("cyan", "green", "yellow", "magenta", "blue", "bright_red", "bright_cyan", "bright_green")
_DEEPEST_INDENT: Final = 12
_FIXED_WIDTH: Final = 56  # of all columns but what was done and the bar, at their widest


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as a file has it. Instants in ns since 1970; `parent` is the id of the span that caused it."""

    trace_id: str
    span_id: str
    parent: str | None
    name: str
    start_ns: int
    end_ns: int
    service: str
    failed: bool
    subject: str
    outcome: str

    @classmethod
    def from_line(cls, line: bytes) -> Seen | None:
        """None for a line that is not a span: one that a killed process left behind."""
        try:
            span: dict[str, Any] = json.loads(line)
            return cls(
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


@dataclass(frozen=True, slots=True)
class Step:
    """A span in its place: how deep below the start of its trace, and how long after its cause had ended it began."""

    span: Seen
    depth: int
    waited_ns: int


@dataclass(frozen=True, slots=True)
class Way:
    """All that was done for one subject, causes before effects. `cut` says that there is more than could be read."""

    subject: str
    steps: tuple[Step, ...]
    cut: bool = False

    @property
    def worked(self) -> list[tuple[int, int]]:
        """The stretches of time (ns) in which at least one service worked on it, in order."""
        stretches: list[tuple[int, int]] = []
        for span in sorted((step.span for step in self.steps), key=lambda span: span.start_ns):
            if stretches and span.start_ns <= stretches[-1][1]:
                stretches[-1] = stretches[-1][0], max(stretches[-1][1], span.end_ns)
            else:
                stretches.append((span.start_ns, span.end_ns))
        return stretches


def read_case(traces_dir: Path, case_id: str) -> Way:
    """The way of a case (its id), or of any subject (``kind/id``). Without steps if nothing is known of it."""
    subject = case_id if "/" in case_id else f"case/{case_id}"
    mark = f'"subject":"{subject}"'.encode()
    traces = {line[_TRACE_ID] for line in _lines(traces_dir) if mark in line}
    found: dict[str, Seen] = {}
    cut = False
    if traces:
        for line in _lines(traces_dir):
            if line[_TRACE_ID] in traces and (span := Seen.from_line(line)) is not None:
                if len(found) >= SPANS_READ:
                    cut = True
                    break
                found[span.span_id] = span  # a file that is set aside meanwhile may be read twice
    return Way(subject, tuple(_in_order(found, subject)), cut)


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


def _in_order(spans: dict[str, Seen], subject: str) -> Iterator[Step]:
    """Depth first, siblings by time; without the parts of the traces that belong to other subjects of the same kind."""
    children: dict[str | None, list[Seen]] = {}
    for span in sorted(spans.values(), key=lambda span: (span.start_ns, span.span_id)):
        children.setdefault(span.parent if span.parent in spans else None, []).append(span)

    kind = subject.partition("/")[0] + "/"
    ours: set[str] = set()
    waiting = [(span, True) for span in children.get(None, ())]
    while waiting:
        span, inherited = waiting.pop()
        is_ours = span.subject == subject if span.subject.startswith(kind) else inherited
        if is_ours:
            ours.add(span.span_id)
        waiting += [(child, is_ours) for child in children.get(span.span_id, ())]
    for span_id in tuple(ours):
        cause = spans[span_id].parent
        while cause in spans and cause not in ours:
            ours.add(cause)
            cause = spans[cause].parent

    # The branch that ends last comes last, so that the main line of the way reads on downwards.
    ends = {span_id: span.end_ns for span_id, span in spans.items()}
    for span in sorted((spans[span_id] for span_id in ours), key=lambda span: span.start_ns, reverse=True):
        if span.parent in ends:
            ends[span.parent] = max(ends[span.parent], ends[span.span_id])
    stack = [(span, 0) for span in reversed(children.get(None, ()))]
    while stack:
        span, depth = stack.pop()
        if span.span_id not in ours:
            continue
        cause = spans.get(span.parent) if span.parent else None
        yield Step(span, depth, max(0, span.start_ns - cause.end_ns) if cause else 0)
        branches = children.get(span.span_id, [])
        longest = max(branches, key=lambda child: ends[child.span_id], default=None)
        branches.sort(key=lambda child: child is longest)
        stack += [(child, depth + 1) for child in reversed(branches)]


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
    scale = _Scale(stretches, bar_cells)
    pauses = {start: start - end for (_, end), (start, _) in pairwise(stretches)}
    for step in way.steps:
        span = step.span
        pause = pauses.pop(span.start_ns, 0)
        if pause >= PAUSE_NS:
            table.add_row("", Text(f"… {duration(pause)} later", style="dim italic"))
        colour = colours[span.service]
        table.add_row(
            f"+{duration(span.start_ns - stretches[0][0])}",
            Text.assemble("  " * min(step.depth, _DEEPEST_INDENT), (f"{span.service} ", colour), span.name),
            duration(step.waited_ns) if step.waited_ns else "",
            duration(span.end_ns - span.start_ns),
            Text(span.outcome or ("failed" if span.failed else ""), style="red" if span.failed else ""),
            *(
                [Text(scale.bar(span.start_ns, span.end_ns), style="red" if span.failed else colour)]
                if bar_cells
                else ()
            ),
        )
    return table


class _Scale:
    """Places instants on a bar. Only worked time takes room, in proportion; pauses take none, or nothing else would be seen."""

    def __init__(self, stretches: list[tuple[int, int]], cells: int) -> None:
        self._cells = cells
        self._stretches = stretches
        self._whole = max(1, sum(end - start for start, end in stretches))

    def bar(self, start: int, end: int) -> str:
        first = min(self._cell(start), self._cells - 1)
        last = max(first + 1, self._cell(end))
        return " " * first + "█" * (last - first)

    def _cell(self, instant: int) -> int:
        before = sum(min(end, instant) - start for start, end in self._stretches if start < instant)
        return round(before / self._whole * self._cells)


def _colours(way: Way) -> dict[str, str]:
    services = dict.fromkeys(step.span.service for step in way.steps)
    return {service: _COLOURS[number % len(_COLOURS)] for number, service in enumerate(services)}


def duration(ns: int) -> str:
    """A length of time as one says it: the two largest units that matter."""
    milliseconds = ns / 1e6
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = ns / 1e9
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, seconds_left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds_left} s"
    hours, minutes_left = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes_left} min"
    days, hours_left = divmod(hours, 24)
    return f"{days} d {hours_left} h"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
