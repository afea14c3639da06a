"""From the bytes of a file to a settled delivery: the same for programs and for the page."""

from __future__ import annotations

import asyncio
import hashlib

from services.reporting.indicators.files import BadFile, read
from services.reporting.indicators.keeping import Delivered, TakeFile
from services.runtime.deciding import Command
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.security import Actor


async def take(running: Running, actor: Actor, content: bytes) -> Delivered:
    """Good rows go in. Raises `Problem` for a file that cannot be read as a whole, and `Transient`.

    No key is needed: the rules see what is there already.
    """
    try:
        rows, faults = await asyncio.to_thread(read, content)
    except BadFile as bad:
        raise Problem(bad.code, 422) from None
    digest = hashlib.sha256(content).hexdigest()
    data = TakeFile(digest=digest, rows=tuple(rows), faults=tuple(faults))
    answer = await running.desk.send(Command(actor.county, "", data, actor.subject))
    return Delivered.model_validate_json(answer.body)
