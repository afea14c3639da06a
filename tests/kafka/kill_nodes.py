"""By hand (`make kill-kafka`), since it takes minutes and 4 GB of memory: people on their way over three nodes of Apache Kafka with three
copies, two of which must agree, while every node and every service is killed with `kill -9`, one after the other; then nodes and services
at the same time.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.embedded.system import SERVICES, Embedded
from deploy.kafka.nodes import node_names
from tests.faults.load import CHOICES, doors_of, load

PEOPLE = int(os.environ.get("PEOPLE") or 1200)
BETWEEN = 40
"""Arrivals, talks and steps of referrals between two kills."""


@pytest.mark.timeout(1800)
async def test_the_books_balance_whichever_node_and_whichever_service_is_killed(tmp_path: Path) -> None:
    nodes = node_names(3)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {what}", file=sys.stderr, flush=True)

    choices = replace(CHOICES, broker="kafka", nodes=len(nodes))
    async with (
        Embedded(tmp_path, choices=choices) as running,
        doors_of(running) as doors,
        load(doors, PEOPLE, one_offer_in=20, one_talk_in=10) as going,
    ):
        say(f"three nodes and four services are up; {PEOPLE} people are on their way")
        for victim in (*nodes, *SERVICES):
            await going.further(BETWEEN)
            running.kill(victim)
            say(f"kill -9 {victim}")
            await running.wait_ready(victim, 120)
            say(f"{victim} is back")
        for node, service in zip(nodes, SERVICES, strict=False):
            await going.further(BETWEEN)
            running.kill(node)
            running.kill(service)
            say(f"kill -9 {node} and {service}")
            await running.wait_ready(node, 120)
            await running.wait_ready(service, 120)
        await going.ends_with_balanced_books()
        say("everybody has come as far as they can, nothing is parked or set aside, and the books balance")
