"""Brings a broker's topics to what `schemas/topics.yaml` says. Creates, widens and puts settings right; never shrinks, never deletes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Final, Literal

from deploy.refusals import CannotDo
from schemas.topics import topics
from services.runtime.bus import Agreed, Topic, TopicChange, nodes_that_answer
from services.runtime.bus import apply_topics as apply_to_broker
from services.runtime.errors import Transient

_LOOK_EVERY: Final = 0.1


async def apply_topics(
    bootstrap: str,
    *,
    profile: Literal["embedded", "production"] = "embedded",
    dry_run: bool = False,
    agreed: Agreed = lambda plan: True,
) -> list[str]:
    """What was done, or with `dry_run` what would be, in words. `agreed` is shown the plan before its first step, and may say no.

    Raises `Transient` when the broker cannot be reached, and `TopicRefused` when it does not take a step.
    """
    wanted = [
        Topic(topic.name, topic.partitions, topic.retention_ms, getattr(topic.replication, profile), topic.segment_ms)
        for topic in topics().values()
    ]
    return [str(change) for change in await apply_to_broker(bootstrap, wanted, dry_run=dry_run, agreed=agreed)]


async def apply_by_hand(
    bootstrap: str,
    *,
    profile: Literal["embedded", "production"],
    tell: Callable[[str], None],
    agree: Callable[[], bool],
) -> bool:
    """Tell the plan, and carry just that out if `agree` says so; it is not asked where there is nothing to do here.

    Gives whether something was done. Raises as `apply_topics` does.
    """
    done = False

    def agreed(plan: list[TopicChange]) -> bool:
        nonlocal done
        for change in plan:
            tell(f"would {change}")
        if not plan:
            tell("Every topic is as it should be.")
        done = any(not change.is_left for change in plan) and agree()
        return done

    await apply_topics(bootstrap, profile=profile, agreed=agreed)
    return done


def ask_person() -> bool:
    """Raises `CannotDo` where nobody can be asked."""
    if not sys.stdin.isatty():
        raise CannotDo("Nothing was changed, since nobody can be asked here. To carry the plan out, add --yes.")
    return input("Carry this out? [y/N] ").strip().lower() in ("y", "yes", "j", "ja")


async def until_nodes_answer(bootstrap: str, number: int, seconds: float = 60.0) -> None:
    """A node listens before it can be given partitions: wait until so many can. Raises `Transient` when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            while await nodes_that_answer(bootstrap) < number:
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        raise Transient("broker", f"has fewer than {number} nodes") from None
