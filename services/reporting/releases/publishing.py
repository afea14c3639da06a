"""Publishing: whole or not at all, on its day, once.

A release is made from the counts of one instant. Its files are written first, and nobody can see them; then one transaction makes them
the release and tells so on Kafka. Whoever dies before that has published nothing, and the next round begins anew. Of two who publish the
same, one does.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from services.reporting.books import CountyBooks
from services.reporting.releases import keeping
from services.reporting.releases.calendar import Issue, due, months_of, next_due
from services.reporting.releases.content import Content, content_of, figures_of
from services.reporting.releases.formats import Written, written
from services.reporting.releases.formats.plain import CONTENT_FILE
from services.reporting.releases.model import File, Publish, Published, release_id
from services.reporting.sums import Sums
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.log_lines import document
from services.runtime.logs import log
from services.runtime.running import Running
from services.runtime.seals import Seal, Seals
from services.runtime.settle import Result

SEAL: Final = "release-secrets"
BATCH_BYTES: Final = 8

document({"release.published": "A release was published."})


class Publisher:
    """Publishes what is due. Methods raise `Transient`; calling them again loses and repeats nothing.

    `complete` is told the county and the machine time (seconds since 1970) whenever nothing that is due is missing.
    """

    def __init__(self, running: Running, complete: Callable[[str, float], None] = lambda county, at: None) -> None:
        self._running = running
        self._complete = complete
        self._seal: Seal | None = None
        self._nothing_before: dict[str, date] = {}

    async def publish_due(self, county: str) -> int:
        """Publish what should have been by now, the earliest first. Gives how many were.

        Waits while something is still to be read, or while the figures are being counted anew.
        """
        today = berlin_day(self._running.clock.now())
        if today < self._nothing_before.get(county, today):
            self._complete(county, time.time())
            return 0
        if await self._is_behind():
            return 0
        first = await CountyBooks(self._running.database, county).first_month()
        known = {one.issue for one in await keeping.releases(self._running.store(county))}
        missing = [issue for issue in due(first, today) if issue not in known] if first else []
        try:
            for issue in missing:
                await self.publish(county, issue)
        except Refused:
            return 0  # the figures are being counted anew
        self._nothing_before[county] = next_due(first, today) if first else today + timedelta(days=1)
        self._complete(county, time.time())
        return len(missing)

    async def publish(self, county: str, issue: Issue) -> Published:
        """Make a release and publish it; what another process has published by then stays.

        Raises `Refused` while the figures are being counted anew.
        """
        store = self._running.store(county)
        secret = await keeping.secret_of(store, issue, self._sealed())
        months = months_of(issue.period)
        counts = await CountyBooks(self._running.database, county).all_counts(months[0], months[-1])
        earlier = await self._earlier(county, issue)
        # In a thread of its own: a year's release takes a second or two, in which events are to be counted.
        content, files = await asyncio.to_thread(_made, county, issue, counts, secret, earlier)
        batch = secrets.token_hex(BATCH_BYTES)
        await keeping.keep_files(store, issue, batch, [(one.name, one.content) for one in files])
        published = await self._tell(county, issue, batch, files, content)
        await keeping.drop_other_batches(store, issue, published.batch)
        log.info("release.published")
        return published

    async def _tell(
        self, county: str, issue: Issue, batch: str, files: Sequence[Written], content: Content
    ) -> Published:
        command = Publish(
            release=release_id(county, issue),
            kind=issue.kind,
            period=issue.period,
            batch=batch,
            files=tuple(
                File(
                    name=one.name,
                    media_type=one.media_type,
                    size=len(one.content),
                    sha256=hashlib.sha256(one.content).hexdigest(),
                )
                for one in files
            ),
            changes=len(content.changes),
        )
        (outcome,) = await self._running.send_all([Command(county, "", command)])
        if outcome.result not in (Result.APPLIED, Result.REPEATED) or outcome.answer is None:
            raise outcome.error or RuntimeError("a release was neither published nor refused")
        return Published.model_validate_json(outcome.answer)

    async def _earlier(self, county: str, issue: Issue) -> list[Content]:
        """What was published before of the same months."""
        store, months = self._running.store(county), set(months_of(issue.period))
        found = [one for one in await keeping.releases(store) if months & set(months_of(one.period))]
        return [
            Content.model_validate_json(await keeping.file(store, one.batch, CONTENT_FILE))
            for one in found
            if one.issue != issue
        ]

    async def _is_behind(self) -> bool:
        consumer = self._running.consumer
        if consumer is None:
            return False
        return any(records for places in (await consumer.lag()).values() for records in places.values())

    def _sealed(self) -> Seal:
        if self._seal is None:
            self._seal = Seals(self._running.settings).of(SEAL)
        return self._seal


def _made(
    county: str, issue: Issue, counts: Sums, secret: bytes, earlier: Sequence[Content]
) -> tuple[Content, list[Written]]:
    content = content_of(county, issue, figures_of(issue, counts, secret), earlier)
    return content, list(written(content))
