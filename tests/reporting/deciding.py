"""States as decisions see them, in memory: facts are applied by the service's own rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from services.reporting import desks
from services.reporting.indicators.keeping import STATES as INDICATORS
from services.reporting.records import pseudonyms_of_this_process
from services.reporting.steering.keeping import STATES as STEERING
from services.runtime.deciding import Command, State, Subject
from tests.reporting.county import COUNTY

NOW = datetime(2018, 5, 14, 9, tzinfo=UTC)


class Desk:
    """Takes wishes one after the other, as the runtime would, without a database."""

    def __init__(self, county: str = COUNTY) -> None:
        self.county = county
        self.now = NOW
        self._states: dict[Subject, State] = {}

    def get(self, model: type[State], id: str) -> Any:
        return self._states.get(Subject(model.KIND, id), model(id=id))

    def known(self, model: type[State], id: str) -> Any:
        found = self._states.get(Subject(model.KIND, id))
        return found if isinstance(found, model) else None

    def wish(self, data: BaseModel, actor: str = "coordinator-1") -> Any:
        """The answer. Raises `Refused`."""
        command = Command(self.county, "key", data, actor)
        named = set(desks.names(command, self))
        decision = desks.decide(command, self, self.now, pseudonyms=pseudonyms_of_this_process())
        assert decision.written <= named
        for subject, fact in decision.facts:
            model = next(one for one in _models() if subject.kind == one.KIND)
            self._states[subject] = desks.evolve(self.get(model, subject.id), fact, self.now)
        return decision.answer

    def all(self, model: type[State]) -> list[Any]:
        return [state for state in self._states.values() if isinstance(state, model)]


def _models() -> list[type[State]]:
    return [*INDICATORS, *STEERING]
