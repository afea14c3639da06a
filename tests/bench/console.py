"""How long the console's pages take with a million spans stored, beside an empty page in the same run.

    make bench ARGS="--parts console"
    python -m tests.bench.console [SPANS]

Each figure is the median of `RUNS` openings through the application's own doors, by a signed-in operator. The empty page is the one that
says that there is nothing at an address: the same layers, sign-in and frame, without content.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import httpx

from services.operations.console import Console
from services.operations.readings import NUMBERS, Reading, Sample, beside
from services.operations.span_store import KeptSpan, SpanStore
from services.operations.watching import EVERY, REMEMBERED
from services.runtime.ways import Seen
from tests.bench.figures import PAGE_BAR
from tests.operations.room import COUNTY, open_room

SPANS: Final = 1_000_000
OF_A_WAY: Final = 25
RUNS: Final = 40
NOWHERE: Final = ("http://127.0.0.1:9",)
EMPTY: Final = "/pages/nothing-is-here"

_MS: Final = 1_000_000
_HOUR_NS: Final = 3600 * 1000 * _MS
_SERVICES: Final = ("intake", "profiling", "referral", "reporting")


def ways(spans: int) -> Iterator[KeptSpan]:
    """Ways of `OF_A_WAY` steps, spread over the last two hours; one step in two hundred is slow, one in five hundred fails."""
    number, now = spans // OF_A_WAY, time.time_ns()
    for way in range(number):
        trace, case = uuid.UUID(int=way + 1).hex, f"case/{uuid.UUID(int=way + 1)}"
        begun, cause = now - 2 * _HOUR_NS + 2 * _HOUR_NS * way // number, None
        for step in range(OF_A_WAY):
            id = f"{way * OF_A_WAY + step + 1:016x}"
            at = begun + step * 40 * _MS
            took = 1200 * _MS if (way + step) % 200 == 0 else (3 + (way * 7 + step) % 40) * _MS
            seen = Seen(
                *(
                    trace,
                    id,
                    cause,
                    f"step-{chr(97 + step)}",
                    at,
                    at + took,
                    _SERVICES[step % 4],
                    (way + step) % 500 == 0,
                ),
                *(case if step % 3 == 0 else "", "applied"),
            )
            cause = id
            yield KeptSpan(seen, "0", COUNTY)


def fill(store: SpanStore, spans: int) -> None:
    part: list[KeptSpan] = []
    for span in ways(spans):
        part.append(span)
        if len(part) == 5000:
            store.take(part)
            part = []
    store.take(part)


def watched(console: Console) -> None:
    """Four replicas, each of which was looked at for an hour and reads twelve partitions."""
    now = time.time()
    for replica in console.watch.replicas:
        replica.latest = Reading(now, "ok", instance="0", version="0")
        for look in range(int(REMEMBERED / EVERY)):
            numbers = {name: float(look % 50) for name in NUMBERS}
            lag = {(f"{topic}.events.v1", str(part)): float(look % 90) for topic in _SERVICES[:3] for part in range(4)}
            one = Sample(now - REMEMBERED + look * EVERY, numbers, lag)
            replica.recall(one)
        replica.numbers = beside(replica.samples)


async def opened(operator: httpx.AsyncClient, path: str, status: int = 200) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    answer = await operator.get(path)
    if answer.status_code != status:
        raise RuntimeError(f"{path} was answered with {answer.status_code}")
    return (time.perf_counter() - began) * 1000


async def measure(folder: Path, spans: int = SPANS, say: Callable[[str], None] = print) -> dict[str, float]:
    """Each page's time as a multiple of the empty page's, which is opened before each of them: both meet the same machine."""
    case = uuid.UUID(int=spans // OF_A_WAY // 2)
    async with (
        open_room(folder, dict.fromkeys(_SERVICES, NOWHERE), spans_kept=max(spans, 1000)) as room,
        room.operator() as operator,
    ):
        began = time.perf_counter()
        await asyncio.to_thread(fill, room.console.spans, spans)
        say(f"{room.console.spans.kept:,} spans stored in {time.perf_counter() - began:.0f} s")
        began = time.perf_counter()
        await room.console.look()
        watched(room.console)
        say(f"{'one look of the console':<50} {(time.perf_counter() - began) * 1000:6.2f} ms")
        paths = ("overview", "lag", "letters", "ways", f"ways/{case}", f"ways/{case.hex}")
        times: dict[str, float] = {}
        for path in (f"/pages/{path}" for path in paths):
            pairs = [(await opened(operator, EMPTY, 404), await opened(operator, path)) for _ in range(RUNS)]
            empty, took = (statistics.median(one) for one in zip(*pairs[1:], strict=True))
            times[path] = took / empty
            say(f"{path:<50} {took:6.2f} ms, empty {empty:6.2f} ms: {times[path]:.1f} times")
    return times


def main() -> int:
    spans = int(sys.argv[1]) if len(sys.argv) > 1 else SPANS
    with tempfile.TemporaryDirectory() as folder:
        times = asyncio.run(measure(Path(folder), spans))
    return 0 if max(times.values()) <= PAGE_BAR else 1


if __name__ == "__main__":
    sys.exit(main())
