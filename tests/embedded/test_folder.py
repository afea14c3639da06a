"""A data folder belongs to one copy, is begun once, and outlives every kind of end."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.folder import Choices, DataFolder, FolderInUse, OtherChoices, RunningCopy, read_running
from deploy.embedded.ports import reserve

DEFAULT = Choices(counties=("03459",), clock="real")
COPY = RunningCopy(
    pid=1, broker="127.0.0.1:1", database="mongodb://127.0.0.1:2", services={"intake": "http://127.0.0.1:3"}
)


def test_a_second_copy_on_the_same_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        folder.announce(COPY)
        with pytest.raises(FolderInUse, match=r"already running \(process 1\)"), DataFolder(tmp_path):
            pass
    with DataFolder(tmp_path):
        pass


def test_the_command_line_finds_a_copy_only_while_it_runs(tmp_path: Path) -> None:
    assert read_running(tmp_path) is None
    with DataFolder(tmp_path) as folder:
        folder.announce(COPY)
        assert read_running(tmp_path) == COPY
    assert read_running(tmp_path) is None


def test_addresses_that_a_killed_supervisor_left_behind_are_not_believed(tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        folder.announce(COPY)
        left_behind = (tmp_path / "running.json").read_text(encoding="utf-8")
    (tmp_path / "running.json").write_text(left_behind, encoding="utf-8")
    assert read_running(tmp_path) is None
    with DataFolder(tmp_path):
        assert not (tmp_path / "running.json").exists()


def test_a_process_that_outlived_its_supervisor_is_ended_by_the_next_start(tmp_path: Path) -> None:
    survivor = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    with DataFolder(tmp_path) as folder:
        folder.record_processes({"intake": survivor.pid})
        record = (tmp_path / "processes.json").read_text(encoding="utf-8")
    (tmp_path / "processes.json").write_text(record, encoding="utf-8")
    with DataFolder(tmp_path):
        assert survivor.wait(timeout=5) == -signal.SIGKILL


def test_a_process_that_only_has_the_same_number_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        record = {"intake": [stranger.pid, "another boot 12345"]}
        (tmp_path / "processes.json").write_text(json.dumps(record), encoding="utf-8")
        with DataFolder(tmp_path):
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_later_start_goes_on_with_the_choices_of_the_first(tmp_path: Path) -> None:
    begun = Choices(counties=("03357",), clock="virtual", clock_start="2016-01-01T00:00:00+01:00")
    with DataFolder(tmp_path) as folder:
        assert folder.choose(begun, DEFAULT) == begun
    with DataFolder(tmp_path) as folder:
        assert folder.choose(Choices(), DEFAULT) == begun
        assert folder.choose(Choices(counties=("03357",)), DEFAULT) == begun


def test_a_folder_begun_for_one_county_does_not_go_on_with_another(tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        folder.choose(Choices(counties=("03357",)), DEFAULT)
        with pytest.raises(OtherChoices, match="begun with counties 03357, and cannot go on with 03459"):
            folder.choose(Choices(counties=("03459",)), DEFAULT)


def test_the_key_to_personal_data_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        key = folder.person_key() / "wegenetz_person_key"
        first = key.read_text(encoding="utf-8")
        folder.person_key()
        assert key.read_text(encoding="utf-8") == first
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.secrets.stat().st_mode) == 0o700


def test_a_reserved_port_is_nobody_elses(tmp_path: Path) -> None:
    ours = reserve()
    other = reserve(ours.number)
    assert other.number != ours.number
    ours.close()
    again = reserve(ours.number)
    assert again.number == ours.number
    for port in (other, again):
        port.close()


def test_a_number_that_is_no_longer_running_is_not_looked_for(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    with DataFolder(tmp_path) as folder:
        folder.record_processes({"intake": ended.pid})
        ended.wait()
        record = (tmp_path / "processes.json").read_text(encoding="utf-8")
    (tmp_path / "processes.json").write_text(record, encoding="utf-8")
    with DataFolder(tmp_path):
        assert not (tmp_path / "processes.json").exists()
