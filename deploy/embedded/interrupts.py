"""Ctrl-C and SIGTERM: the first asks for an orderly stop, the second for an immediate one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def stopping_on_signals(hurry: Callable[[], None], asked: Callable[[], None] = lambda: None) -> Generator[None]:
    """Cancels the running task at the first signal, calls `hurry` at each later one, and swallows that cancellation.

    ``with stopping_on_signals(embedded.hurry): async with embedded as running: …`` — the stop happens inside the block, on the
    way out of `embedded`. `asked` is called at the first signal, to say that the stop has begun.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("Signals can only stop a running task.")
    loop = asyncio.get_running_loop()
    signalled = False

    def handle() -> None:
        nonlocal signalled
        if signalled:
            hurry()
        else:
            signalled = True
            asked()
            task.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, handle)
    try:
        yield
    except asyncio.CancelledError:
        if not signalled or task.uncancel() > 0:
            raise
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
