"""Who publishes, as a catalogue names them: a part of the settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"{}|\\^`]+$")]


class Publisher(BaseModel):
    """`contact` is the name of an office, not of a person; `contributor` the address under which GovData knows the publisher."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = None
    homepage: WebAddress | None = None
    contact: str | None = None
    email: Annotated[str, StringConstraints(pattern=r"^[^\s<>\"{}|\\^`@]+@[^\s<>\"{}|\\^`@]+$")] | None = None
    contact_page: WebAddress | None = None
    contributor: WebAddress | None = None
