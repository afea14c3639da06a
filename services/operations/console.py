"""The console's tools, as its pages and loops are given them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.operations.letters import Letters
from services.operations.span_store import SpanStore
from services.operations.watching import Watch
from services.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Console:
    """`closing` is set when the process stops: what would go on for ever ends then."""

    settings: Settings
    spans: SpanStore
    watch: Watch
    letters: Letters
    closing: asyncio.Event
