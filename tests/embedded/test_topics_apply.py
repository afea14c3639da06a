"""`wegenetz topics apply`: the plan comes first, somebody agrees to it, and only then is anything changed."""

from __future__ import annotations

import asyncio
import io

import pytest

from deploy import topics as of_the_project
from deploy.cli import DONE, FAILED, main
from deploy.embedded.engines import Engines
from schemas.topics import topics
from services.runtime.bus import apply_topics

Out = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def declared(own_prefix: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Topics as they are declared, under names that no other test has."""
    own = {name: topic.model_copy(update={"name": f"{own_prefix}.{name}"}) for name, topic in topics().items()}
    monkeypatch.setattr(of_the_project, "topics", lambda: own)
    return [topic.name for topic in own.values()]


def planned(names: list[str]) -> list[str]:
    return [f"would create {name} with 4 partitions" for name in names]


def told(out: Out) -> list[str]:
    return out.readouterr().out.splitlines()


def test_a_plan_is_carried_out_once_somebody_agrees(
    engines: Engines, declared: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    apply = ["topics", "apply", "--kafka", engines.kafka]
    assert main([*apply, "--dry-run"]) == DONE
    assert told(capsys) == [*planned(declared), "Nothing was changed."]

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main(apply) == DONE
    assert told(capsys)[-1].endswith("Nothing was changed.")

    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main(apply) == DONE
    out = told(capsys)
    assert out[:-1] == planned(declared)
    assert out[-1].endswith("Done.")

    assert main(apply) == DONE, "and there is nothing to ask"
    assert told(capsys) == ["Every topic is as it should be.", "Nothing was changed."]


def test_where_nobody_can_be_asked_nothing_is_done_without_a_yes(
    engines: Engines, declared: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    apply = ["topics", "apply", "--kafka", engines.kafka]
    assert main(apply) == FAILED
    answer = capsys.readouterr()
    assert answer.out.splitlines() == planned(declared)
    assert answer.err == "Nothing was changed, since nobody can be asked here. To carry the plan out, add --yes.\n"
    wanted = [of_the_project.Topic(declared[0], 4, 1)]
    assert len(asyncio.run(apply_topics(engines.kafka, wanted, dry_run=True))) == 1, "it is still to be made"

    assert main([*apply, "--yes"]) == DONE
    assert told(capsys) == [*planned(declared), "Done."]
