"""``wegenetz up``: the whole system in the foreground, until Ctrl-C."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.embedded.folder import Choices
from deploy.embedded.interrupts import stopping_on_signals
from deploy.embedded.system import Embedded, Running
from deploy.embedded.view import StatesView

_STOPPING: Final = "Stopping: the services finish what they are doing. Ctrl-C once more ends everything at once."


def up(folder: Path, choices: Choices, console: Console) -> None:
    """Returns after an orderly stop. Raises what `Embedded` raises when the system cannot start or go on."""
    asyncio.run(_up(folder, choices, console))


async def _up(folder: Path, choices: Choices, console: Console) -> None:
    view = StatesView(console)
    embedded = Embedded(folder, choices=choices, console=True, changed=view.changed)
    with view, stopping_on_signals(embedded.hurry, lambda: console.print(_STOPPING)):
        console.print("Starting the broker, the database and the services …")
        async with embedded as running:
            view.found_at(running.services)
            say_where(running, folder, console)
            await running.run()
    console.print("Stopped. The data stays; the same command goes on from here.")


def say_where(running: Running, folder: Path, console: Console) -> None:
    """Where everything is, for whoever wants to use it."""
    county = ", ".join(running.choices.counties or ())
    console.print(f"\nThe system is up for county {county}.", highlight=False)
    for name, url in running.services.items():
        console.print(f"  {name:<10} {url}/openapi.json", highlight=False, soft_wrap=True)
    if "referral" in running.services:
        console.print(f"Partners' pages: {running.services['referral']}/pages", highlight=False, soft_wrap=True)
    if running.console:
        console.print(f"Operations console: {running.console}/pages", highlight=False, soft_wrap=True)
    token = "wegenetz token --role operator" + (f" --data {shlex.quote(str(folder))}" if folder != Path("var") else "")
    console.print(f"Data and logs are in {folder}/. A token for the APIs: {token}", highlight=False, soft_wrap=True)
    console.print("Ctrl-C stops it.\n")
