"""What axe-core finds on a page, and whether the page is wider than its window."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.async_api import Page

AXE: Final = Path(__file__).with_name("axe.min.js").read_text(encoding="utf-8")
STANDARD: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def wrong(page: Page, *, colours: bool = True) -> list[str]:
    """What is wrong with the page that is open, a sentence each.

    Contrast takes axe most of its time. Who looks at the same pages in a second window, where they have the same colours, may leave it out.
    """
    await page.evaluate(AXE)
    options = {"runOnly": STANDARD, "resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": colours}}}
    result = await page.evaluate("(options) => axe.run(document, options)", options)
    found = [f"{page.url}: {one['id']}: {node['html'][:150]}" for one in result["violations"] for node in one["nodes"]]
    if await page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"{page.url}: wider than the window")
    return found
