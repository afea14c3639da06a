"""What a person sees while the system starts, runs and stops: a table that follows along, or plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.embedded.supervisor import State

_LOOKS: Final = {
    State.WAITING: ("dim", "waits for its turn"),
    State.STARTING: ("yellow", "starting …"),
    State.READY: ("green", "ready"),
    State.UNWELL: ("yellow", "runs, but cannot work just now"),
    State.ENDED: ("red", "ended; is started again"),
    State.STOPPING: ("yellow", "stopping …"),
    State.STOPPED: ("dim", "stopped"),
}


class StatesView:
    """Shows the state of each program, in the order in which they were first heard of."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._states: dict[str, State] = {}
        self._addresses: dict[str, str] = {}
        self._live = (
            Live(console=console, refresh_per_second=4, get_renderable=self._table) if console.is_terminal else None
        )

    def changed(self, name: str, state: State) -> None:
        self._states[name] = state
        if self._live is None:
            self._console.print(f"{name}: {_LOOKS[state][1]}", highlight=False)

    def found_at(self, addresses: Mapping[str, str]) -> None:
        self._addresses = dict(addresses)

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 3))
        for name, state in self._states.items():
            style, words = _LOOKS[state]
            address = "" if state is State.STOPPED else self._addresses.get(name, "")
            table.add_row(Text(name), Text(words, style=style), Text(address, style="dim"))
        return table
