"""Health is progress: each loop of a process says that it got on, or what it waits for, and is believed for a stated time only.

A process is *live* while every loop has spoken within its bound and none has stopped. One that is not needs a new start, and whoever runs
it decides on that: Kubernetes asks, if it is told to, and starts it anew; the embedded supervisor starts anew only what ends, and asks
nothing but whether it is ready. It is *ready* once it has started, while everything that its answers depend on works, and until it begins
to stop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel

State = Literal["ok", "waiting", "stopped"]

BOUND_SECONDS: Final = 30.0


class ComponentReport(BaseModel):
    """One part of a process: how it is, since when (machine time), and a sentence for whoever looks."""

    name: str
    state: State
    since: datetime
    sentence: str


class HealthReport(BaseModel):
    status: State
    components: list[ComponentReport]


class Component:
    """A loop's side of health. It speaks at least once in `bound_seconds`, also while it has nothing to do or has to wait."""

    def __init__(self, name: str, bound_seconds: float, monotonic: Callable[[], float]) -> None:
        self.name = name
        self._bound_seconds = bound_seconds
        self._monotonic = monotonic
        self._state: State = "waiting"
        self._sentence = "Is starting."
        self._since = datetime.now(UTC)
        self._spoke_at = monotonic()
        self._begun = False

    def not_begun(self) -> None:
        """Whatever comes before this loop is waited for: its own time has not begun, if it has not."""
        if not self._begun:
            self._spoke_at = self._monotonic()

    def progressed(self) -> None:
        """A turn of the loop is done."""
        self._speak("ok", "Runs.")

    def waiting(self, sentence: str) -> None:
        """The loop cannot go on for a reason outside, and tries again. `sentence` tells operators which; no personal data."""
        self._speak("waiting", sentence)

    def stopped(self, sentence: str) -> None:
        """The loop has given up; nothing but a new start helps. Final."""
        self._speak("stopped", sentence)

    def _speak(self, state: State, sentence: str) -> None:
        self._begun = True
        self._spoke_at = self._monotonic()
        if self._state == "stopped":
            return
        if state != self._state:
            self._state, self._since = state, datetime.now(UTC)
        self._sentence = sentence

    def report(self) -> ComponentReport:
        if self._state != "stopped" and self._monotonic() - self._spoke_at > self._bound_seconds:
            sentence = f"Has shown no progress for more than {self._bound_seconds:g} seconds."
            return ComponentReport(name=self.name, state="stopped", since=self._since, sentence=sentence)
        return ComponentReport(name=self.name, state=self._state, since=self._since, sentence=self._sentence)


class Health:
    """The components of one process."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._components: list[Component] = []
        self._answers_need: set[str] = set()
        self._started = False
        self._stopping = False

    def component(self, name: str, *, bound_seconds: float = BOUND_SECONDS, answers_need_it: bool = False) -> Component:
        """Register a loop. `answers_need_it`: while it is not ok, HTTP requests could not be answered either."""
        component = Component(name, bound_seconds, self._monotonic)
        self._components.append(component)
        if answers_need_it:
            self._answers_need.add(name)
        return component

    def starting(self) -> None:
        """Something that a start needs is away and asked for again: those loops that have not begun because of it are not silent."""
        for component in self._components:
            component.not_begun()

    def started(self) -> None:
        self._started = True

    def stopping(self) -> None:
        """From now on no new requests should be sent here; running ones are finished."""
        self._stopping = True

    def live(self) -> HealthReport:
        """`stopped` when a component has stopped or fallen silent, `waiting` when one waits, else `ok`."""
        reports = [component.report() for component in self._components]
        states = {report.state for report in reports}
        status: State = "stopped" if "stopped" in states else "waiting" if "waiting" in states else "ok"
        return HealthReport(status=status, components=reports)

    def ready(self) -> HealthReport:
        """`ok` when requests can be answered, else `waiting` or `stopped`."""
        report = self.live()
        needed = {one.state for one in report.components if one.name in self._answers_need}
        if self._stopping or "stopped" in needed:
            report.status = "stopped"
        elif not self._started or "waiting" in needed:
            report.status = "waiting"
        else:
            report.status = "ok"
        return report
