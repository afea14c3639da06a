"""Brings a broker's topics to what `schemas/topics.yaml` says. Creates, widens and puts settings right; never shrinks, never deletes."""

from __future__ import annotations

from typing import Literal

from schemas.topics import topics
from services.runtime.bus import Topic
from services.runtime.bus import apply_topics as apply_to_broker


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
