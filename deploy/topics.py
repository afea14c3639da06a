"""Brings a broker's topics to what `schemas/topics.yaml` says. Creates, widens and puts settings right; never shrinks, never deletes."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from schemas.topics import topics
from services.runtime.bus import Topic, nodes_that_answer
from services.runtime.bus import apply_topics as apply_to_broker
from services.runtime.errors import Transient

_LOOK_EVERY: Final = 0.1


async def apply_topics(
    bootstrap: str, *, profile: Literal["embedded", "production"] = "embedded", dry_run: bool = False
) -> list[str]:
    """What was done, or with `dry_run` what would be, in words.

    Raises `Transient` when the broker cannot be reached, and `TopicRefused` when it does not take a step.
    """
    wanted = [
        Topic(topic.name, topic.partitions, topic.retention_ms, getattr(topic.replication, profile), topic.segment_ms)
        for topic in topics().values()
    ]
    return [str(change) for change in await apply_to_broker(bootstrap, wanted, dry_run=dry_run)]


async def until_nodes_answer(bootstrap: str, number: int, seconds: float = 60.0) -> None:
    """A node listens before it can be given partitions: wait until so many can. Raises `Transient` when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            while await nodes_that_answer(bootstrap) < number:
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        raise Transient("broker", f"has fewer than {number} nodes") from None
