"""What the mails say, in the partner's language. The day until which an answer counts, the link, and nothing of the person."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from services.referral.notices.keeping import Channel, Notice
from services.referral.notices.watching import WAITS
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Catalogue
from services.runtime.pages.rendering import written_day
from services.runtime.running import Running

MESSAGES: Final = Path(__file__).with_name("messages")


class Letters:
    """Writes them."""

    def __init__(self, running: Running) -> None:
        self._catalogue = Catalogue(MESSAGES)
        self._url = (running.settings.public_url or "").rstrip("/")

    def of(self, county: str, channel: Channel, notice: Notice, token: str) -> tuple[str, str]:
        """Subject and text."""
        if notice.type != WAITS:
            return self._said(channel, "webhook-disabled", address=f"{self._url}/pages/partner/notices")
        by = datetime.fromisoformat(json.loads(notice.body)["data"]["answer_by"])
        day = written_day(berlin_day(by - timedelta(milliseconds=1)), channel.language)
        return self._said(channel, "waiting", day=day, address=self._url + path_of(county, token))

    def _said(self, channel: Channel, key: str, **params: object) -> tuple[str, str]:
        say = self._catalogue.text
        return (
            say(channel.language, f"mail.{key}.subject", params if key == "waiting" else {}),
            say(channel.language, f"mail.{key}.text", params),
        )


def path_of(county: str, token: str) -> str:
    """The address of the page behind a link."""
    return f"/pages/answer/{county}/{token}"
