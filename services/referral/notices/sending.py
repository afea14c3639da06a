"""Sends notices until each is taken: at once, and then after growing pauses with a random part, so that who comes back is not run over.

A process that crashes between sending and writing down that it did sends again, under the same id, by which receivers know it (a mail by
its ``Message-ID``, a webhook by its ``webhook-id``): rather the same notice twice than none. One process sends at a time, by lease.

A webhook that answers 410, or that has not taken a notice for as long as all the pauses together, is switched off; its partner is told by
mail if it has an address, and on its page.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from typing import Final

import httpx

from services.referral.locations import Locations
from services.referral.notices import keeping, mail
from services.referral.notices.addresses import AddressForbidden, Resolve, place_of, resolved
from services.referral.notices.channels import PING
from services.referral.notices.keeping import Channel, Notice
from services.referral.notices.letters import Letters
from services.referral.notices.signing import signed_headers
from services.referral.notices.watching import Watching
from services.runtime.clock import machine_ms
from services.runtime.errors import Transient
from services.runtime.leases import Lease
from services.runtime.logs import log
from services.runtime.running import Running
from services.runtime.seals import Seal, SealBroken, Seals
from services.runtime.store import CountyStore
from services.runtime.waiting import set_within

PAUSES: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds after each attempt that failed: those that Standard Webhooks recommends, three days in all."""
JITTER: Final = 0.2
"""A pause is up to this share longer."""

AT_ONCE: Final = 20
OLD_AT_ONCE: Final = 500
"""Notices deleted in one look, at most: what is left is deleted by the next."""
_GONE: Final = 410
EVERY: Final = 1.0
"""Seconds between two looks at what is due."""
NEWS_EVERY: Final = 5.0
"""Seconds between two looks for news, if something was committed here; a look reads what waits or runs at partners with channels."""
NEWS_ANYWAY: Final = 30.0
"""Seconds after which one looks also if nothing was: another process may have committed."""
SECONDS: Final = 15.0
"""A receiver that takes longer has not taken it."""


class Post:
    """Looks for news and sends what is due. `resolve` finds the addresses of a name."""

    def __init__(self, running: Running, locations: Locations, *, resolve: Resolve = resolved) -> None:
        seals = Seals(running.settings)
        self._running = running
        self._settings = running.settings
        self._links = seals.of("links")
        self._secrets = seals.of("webhooks")
        self._watching = Watching(locations, self._links)
        self._letters = Letters(running)
        self._lease = Lease(running.database, "notices", running.settings.instance)
        self._resolve = resolve
        self._changed = True
        self._looked_at = float("-inf")
        running.settler.woken.append(self._woken)
        self._client = httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False)

    def _woken(self) -> None:
        self._changed = True

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                if await self._lease.hold():
                    news = self._is_time_for_news()
                    for county in self._settings.counties:
                        await self.turn(self._running.store(county), news=news)
            except Transient as error:
                log.warning("notices.waiting", exception=error)
            await set_within(stop, EVERY)
        await self._client.aclose()

    def _is_time_for_news(self) -> bool:
        since = time.monotonic() - self._looked_at
        if since < (NEWS_EVERY if self._changed else NEWS_ANYWAY):
            return False
        self._changed, self._looked_at = False, time.monotonic()
        return True

    async def turn(self, store: CountyStore, *, news: bool = True) -> None:
        """What is new is written down, and what is due is sent. Raises `Transient`."""
        if news:
            await self._watching.look(store)
            oldest = machine_ms() - self._settings.notices_kept_days * 86_400_000
            await keeping.delete_old(store, oldest, OLD_AT_ONCE)
        known = {one.id: one for one in await keeping.channels(store)}
        found = await keeping.due(store, AT_ONCE)
        await asyncio.gather(*(self._deliver(store, known.get(notice.channel), notice) for notice in found))

    async def _deliver(self, store: CountyStore, channel: Channel | None, notice: Notice) -> None:
        if channel is None or (channel.disabled and notice.kind == "webhook"):
            await keeping.write(
                store, keeping.put_notice(store.county, replace(notice, state="given-up", last="switched-off"))
            )
        elif notice.kind == "mail":
            await self._mail(store, channel, notice)
        else:
            await self._webhook(store, channel, notice)

    # --- mail -------------------------------------------------------------------------------------------------------

    async def _mail(self, store: CountyStore, channel: Channel, notice: Notice) -> None:
        settings = self._settings
        if settings.smtp_host is None or settings.smtp_from is None:
            await keeping.write(store, keeping.put_notice(store.county, replace(notice, state="kept")))
            return
        subject, text = self._letters.of(store.county, channel, notice, self._token(notice))
        made = mail.message(to=channel.target, sender=settings.smtp_from, subject=subject, text=text, id=notice.id)
        try:
            await mail.send(settings, made)
        except mail.NotTaken as refused:
            await self._failed(store, channel, notice, refused.code, for_good=refused.for_good)
        else:
            # The link stands in the mail now and nowhere else.
            sent = replace(notice, state="sent", attempts=notice.attempts + 1, last="", token=b"")
            await keeping.write(store, keeping.put_notice(store.county, sent))

    def _token(self, notice: Notice) -> str:
        return opened(self._links, notice)

    # --- webhooks ---------------------------------------------------------------------------------------------------

    async def _webhook(self, store: CountyStore, channel: Channel, notice: Notice) -> None:
        try:
            status = await self._post(channel, notice)
        except AddressForbidden as forbidden:
            await self._failed(store, channel, notice, forbidden.code)
        except (httpx.HTTPError, httpx.InvalidURL, SealBroken, OSError) as error:
            await self._failed(store, channel, notice, type(error).__name__.lower())
        else:
            if 200 <= status < 300:
                sent = replace(notice, state="sent", attempts=notice.attempts + 1, last=str(status))
                await keeping.write(store, keeping.put_notice(store.county, sent))
            else:
                await self._failed(store, channel, notice, str(status), for_good=status == _GONE)

    async def _post(self, channel: Channel, notice: Notice) -> int:
        """The status of the answer, of which nothing else is read."""
        private = self._settings.webhook_private_addresses
        place = await place_of(channel.target, private=private, resolve=self._resolve)
        body = notice.body.encode()
        secret = self._secrets.open(channel.secret, channel.id).decode()
        headers = {
            "host": place.host_header,
            "content-type": "application/json",
            "user-agent": "Wegenetz",
            **signed_headers(secret, webhook_id(notice.id), int(time.time()), body),
        }
        extensions = {"sni_hostname": place.host}
        async with self._client.stream(
            "POST", place.url, content=body, headers=headers, extensions=extensions
        ) as answer:
            return answer.status_code

    # --- failures ---------------------------------------------------------------------------------------------------

    async def _failed(
        self, store: CountyStore, channel: Channel, notice: Notice, why: str, *, for_good: bool = False
    ) -> None:
        attempts = notice.attempts + 1
        if notice.type == PING:
            over = replace(notice, attempts=attempts, last=why, state="given-up")
            await keeping.write(store, keeping.put_notice(store.county, over))
            return
        if not for_good and attempts <= len(PAUSES):
            pause = PAUSES[attempts - 1] * (1 + JITTER * random.random())  # noqa: S311 - spreads load, hides nothing
            again = replace(notice, attempts=attempts, last=why, due=machine_ms() + int(pause * 1000))
            await keeping.write(store, keeping.put_notice(store.county, again))
            return
        writes = [keeping.put_notice(store.county, replace(notice, attempts=attempts, last=why, state="given-up"))]
        if channel.kind == "webhook":
            off = replace(channel, disabled="gone" if for_good else "silent")
            writes.append(keeping.switch(store.county, channel, off.disabled))
            log.warning("webhook.disabled", county=store.county, reason=off.disabled)
            writes += [
                keeping.add_notice(store.county, _report(one, off, notice))
                for one in await keeping.channels(store, channel.partner)
                if one.kind == "mail"
            ]
        await keeping.write(store, *writes)


def webhook_id(notice: str) -> str:
    """The id of a webhook's message: the notice's, without what a signature must not contain."""
    return "msg_" + notice.replace("/", "_").replace(".", "_")


def opened(seal: Seal, notice: Notice) -> str:
    """The link of a mail; empty when it was sent already, or carries none."""
    try:
        return seal.open(notice.token, notice.id).decode() if notice.token else ""
    except SealBroken:
        return ""


def _report(to: Channel, off: Channel, cause: Notice) -> Notice:
    return Notice(
        id=f"{to.id}/{off.id}/off/{cause.id.rpartition('/')[2]}-{cause.referral[:8]}",
        channel=to.id,
        partner=to.partner,
        kind="mail",
        type="webhook.disabled",
        referral="",
        body="{}",
        made=machine_ms(),
    )
