"""What a demo does with folders that hold somebody's data."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.embedded.folder import Choices, DataFolder, RunningCopy
from schemas.codes import WaitReason
from simulation import demo

SMALL = ["--once", "--people", "1"]


def begun(path: Path, choices: Choices) -> Path:
    """A data folder as a start leaves it, with something in it that is not to be lost."""
    with DataFolder(path) as folder:
        folder.choose(choices, Choices(("03459",), "real"))
        (folder.path / "database").mkdir()
        (folder.path / "database" / "people.wt").write_text("a year's work", encoding="utf-8")
    return path


def test_a_demo_refuses_the_folder_of_a_system_that_people_work_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = begun(tmp_path / "var", Choices())

    assert demo.main(["--data", str(folder), *SMALL]) == demo.NOT_BALANCED

    assert (folder / "database" / "people.wt").read_text(encoding="utf-8") == "a year's work"
    said = capsys.readouterr().err
    assert "not made by a demo" in said
    assert "--data FOLDER" in said


def test_a_demo_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear", encoding="utf-8")
    assert demo.main(["--data", str(tmp_path), *SMALL]) == demo.NOT_BALANCED
    assert (tmp_path / "letter.txt").exists()


def test_a_demo_begins_anew_where_one_was_before(tmp_path: Path) -> None:
    folder = begun(tmp_path / "demo", Choices(clock="virtual", ids_seed="demo-7"))
    demo._begin_anew(folder)
    assert not folder.exists()


def test_a_demo_that_runs_is_not_begun_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = begun(tmp_path / "demo", Choices(clock="virtual", ids_seed="demo-7"))
    with DataFolder(path) as folder:
        folder.announce(RunningCopy(1, "127.0.0.1:9", "mongodb://127.0.0.1:9"))
        assert demo.main(["--data", str(path), *SMALL]) == demo.NOT_BALANCED
    assert "Stop it first" in capsys.readouterr().err
    assert (path / "database" / "people.wt").exists()


def test_only_an_earlier_demo_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--keep", "--data", str(begun(tmp_path, Choices()))]) == demo.NOT_BALANCED
    assert "no earlier demo" in capsys.readouterr().err


def test_every_reason_to_wait_is_shown_in_words():
    assert {*demo.WHY_NEEDS_WAIT} == {*WaitReason, "unknown"}
