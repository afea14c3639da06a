"""A way: all that was done for one subject, as the spans of all services tell it, causes before effects.

A trace may touch several subjects of a kind (a file with a thousand arrivals, a seat that passes to the next in line). A way is the
subject's own part and what led to it; the parts of others are not. Times are machine time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

SPANS_READ: Final = 50_000
"""Of a way's traces, at most."""
PAUSE_NS: Final = 1_000_000_000
"""A stretch of this length in which no service worked is told by a line of its own and takes no room on a bar."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as it was kept. Instants in ns since 1970; `parent` is the id of the span that caused it."""

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

    @property
    def pauses(self) -> dict[int, int]:
        """How long (ns) nobody had worked on it before an instant, of those that are worth a line."""
        between = {start: start - end for (_, end), (start, _) in pairwise(self.worked)}
        return {start: pause for start, pause in between.items() if pause >= PAUSE_NS}


def in_order(spans: Mapping[str, Seen], subject: str) -> Iterator[Step]:
    """Depth first, siblings by time; without the parts of the traces that belong to other subjects of the same kind.

    `spans` by id. An empty `subject` takes all of them.
    """
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
        while cause is not None and cause in spans and cause not in ours:
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


class Scale:
    """Places instants on a bar. Only worked time takes room, in proportion; pauses take none, or nothing else would be seen."""

    def __init__(self, stretches: list[tuple[int, int]], cells: int) -> None:
        self._cells = cells
        self._stretches = stretches
        self._whole = max(1, sum(end - start for start, end in stretches))

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The first cell of a span, and the one after its last; at least one cell."""
        first = min(self._cell(start), self._cells - 1)
        return first, max(first + 1, self._cell(end))

    def _cell(self, instant: int) -> int:
        before = sum(min(end, instant) - start for start, end in self._stretches if start < instant)
        return round(before / self._whole * self._cells)


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
