"""What every part of a stored state is: frozen, checked whenever it changes, and readable when an older program stored more."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A value inside a state. It is changed by `but` alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def but(self, **changes: object) -> Self:
        """This one with some fields replaced. Evolve is trusted with their types; that they fit together is checked."""
        changed = self.model_copy(update=changes)
        changed.check()
        return changed

    def check(self) -> None:
        """Raises ValueError when the fields contradict each other."""
