"""Whoever is called finds what to do: each alert has its section, and each command of the page is one that there is."""

from __future__ import annotations

import re
import shlex
from typing import Final

from deploy.cli import command_line
from tests.watching.test_rules import ROOT, alerts

PAGE: Final = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")


def test_each_alert_has_its_section_which_says_what_it_means_and_what_to_do() -> None:
    sections = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
    assert {*sections} == {*alerts()}
    for title, text in sections.items():
        assert "**Means**" in text, title
        assert "**Do**" in text, title


def test_every_command_of_the_page_is_understood() -> None:
    blocks = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    inline = re.findall(r"`(wegenetz [^`]+)`", PAGE)
    commands = [line for line in (*blocks, *inline) if line.startswith("wegenetz ")]
    assert len(commands) > 12
    for command in commands:
        command_line().parse_args(shlex.split(command)[1:])  # ends the process where it is not understood


def test_every_block_of_commands_says_whether_it_was_run() -> None:
    for begin in (match.start() for match in re.finditer("```sh", PAGE)):
        before = PAGE[:begin].rsplit("\n## ", 1)[1]
        assert "(run)" in before or "(not run)" in before


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
