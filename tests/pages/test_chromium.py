"""Which Chromium the tests take."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.pages.chromium import NoChromium, find


class Machine:
    """A machine on which these programs are there, and what was tried on it."""

    def __init__(
        self, patch: pytest.MonkeyPatch, *programs: str, root: bool, works: bool = True, sources: bool = True
    ) -> None:
        self.programs = set(programs)
        self.tried: list[list[str]] = []
        self._works = works
        self._sources = sources
        patch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name in self.programs else None)
        patch.setattr(os, "geteuid", lambda: 0 if root else 1000)
        patch.setattr(subprocess, "run", self._run)

    def _run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        self.tried.append(command)
        if self._works and command[:2] == ["apt-get", "install"]:
            self.programs.add(command[-1])
        worked = self._works and (self._sources or command[1] != "update")
        return subprocess.CompletedProcess(command, 0 if worked else 1)


def test_the_systems_own_is_taken_and_nothing_is_installed(monkeypatch: pytest.MonkeyPatch):
    machine = Machine(monkeypatch, "chromium", "apt-get", root=True)
    assert find().path == "/bin/chromium"
    assert machine.tried == []


def test_root_on_debian_installs_the_package(monkeypatch: pytest.MonkeyPatch):
    machine = Machine(monkeypatch, "apt-get", root=True)
    assert find().path == "/bin/chromium-headless-shell"
    assert [command[:2] for command in machine.tried] == [["apt-get", "update"], ["apt-get", "install"]]


def test_a_package_source_out_of_reach_hinders_nothing_that_others_have(monkeypatch: pytest.MonkeyPatch):
    Machine(monkeypatch, "apt-get", root=True, sources=False)
    assert find().path == "/bin/chromium-headless-shell"


def test_whoever_may_not_install_packages_gets_playwrights_own(monkeypatch: pytest.MonkeyPatch):
    machine = Machine(monkeypatch, "apt-get", root=False)
    found = find()
    assert (found.path, found.told) == (None, "Playwright's own download")
    assert [command[:3] for command in machine.tried] == [[sys.executable, "-m", "playwright"]]


def test_where_none_can_be_had_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    Machine(monkeypatch, root=False, works=False)
    with pytest.raises(NoChromium, match="apt install"):
        find()
