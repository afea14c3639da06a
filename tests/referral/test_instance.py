"""A round as a file: what anyone may check against another solver, and what a file that is none is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import DONE, FAILED, main
from services.referral.instance import BadInstance, read, solve

ROUND: dict[str, Any] = {
    "people": ["anna", "ben", "carla", "dan"],
    "offers": [{"id": "near", "capacity": 1}, {"id": "far", "capacity": 1, "price": 50}],
    "pairs": [
        {"person": "anna", "offer": "near", "points": 700},
        {"person": "anna", "offer": "far", "points": 650},
        {"person": "ben", "offer": "near", "points": 600},
        {"person": "carla", "offer": "far", "points": 40},
    ],
}


def faults_of(**changes: object) -> tuple[str, ...]:
    with pytest.raises(BadInstance) as told:
        read(json.dumps({**ROUND, **changes}))
    return told.value.faults


def test_the_answer_names_the_best_of_all_ways_and_what_one_more_seat_would_add():
    assert solve(read(json.dumps(ROUND))).model_dump(mode="json") == {
        "assignment": [
            {"person": "anna", "offer": "far", "points": 650},
            {"person": "ben", "offer": "near", "points": 600},
        ],
        "waiting": ["carla", "dan"],
        "points": 1250,
        "total": 1200,
        "prices": [{"offer": "near", "marginal": 100}, {"offer": "far", "marginal": 0}],
    }


def test_the_order_in_the_file_decides_nothing_and_the_seed_only_between_equals():
    equal = {
        "people": [f"person-{number}" for number in range(20)],
        "offers": [{"id": "one", "capacity": 10}],
        "pairs": [{"person": f"person-{number}", "offer": "one", "points": 5} for number in range(20)],
    }
    backwards = {**equal, "people": equal["people"][::-1], "pairs": equal["pairs"][::-1]}
    served = [
        {pair.person for pair in solve(read(json.dumps(one))).assignment}
        for one in (equal, backwards, {**equal, "seed": "another"})
    ]
    assert served[0] == served[1] != served[2]


def test_every_fault_of_a_file_is_told_with_its_place():
    assert faults_of(people=["anna", "anna", "ben"]) == (
        "people.1: anna stands there twice; each person has one line",
        "pairs.3: carla is not among the people",
    )
    assert faults_of(offers=[{"id": "near", "capacity": 1}, {"id": "near", "capacity": 2}]) == (
        "offers.1: near stands there twice; add their capacities up",
        "pairs.1: far is not among the offers",
        "pairs.3: far is not among the offers",
    )
    twice = [{"person": "ben", "offer": "near", "points": points} for points in (1, 2)]
    assert faults_of(pairs=twice) == ("pairs.1: ben and near stand there twice; a pair has one worth",)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"offers": [{"id": "near", "capacity": -1}]}, "offers.0.capacity"),
        ({"offers": [{"id": "near"}]}, "offers.0.capacity"),
        ({"pairs": [{"person": "anna", "offer": "near", "points": 1.5}]}, "pairs.0.points"),
        ({"pairs": [{"person": "anna", "offer": "near", "points": 1_000_001}]}, "pairs.0.points"),
        ({"persons": []}, "persons"),
    ],
)
def test_what_is_no_round_is_told_by_its_place(changes: dict[str, object], place: str):
    (fault,) = faults_of(**changes)
    assert fault.startswith(f"{place}: ")


def test_a_file_is_solved_by_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "round.json"
    file.write_text(json.dumps(ROUND), encoding="utf-8")
    assert main(["match", str(file)]) == DONE
    assert json.loads(capsys.readouterr().out)["total"] == 1200


def test_a_file_that_is_missing_or_broken_is_a_sentence_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    assert main(["match", str(tmp_path / "missing.json")]) == FAILED
    assert "missing.json cannot be read: No such file or directory." in capsys.readouterr().err
    assert main(["match", str(broken)]) == FAILED
    told = capsys.readouterr().err
    assert "broken.json is no round that can be solved:" in told
    assert "the file: Invalid JSON" in told
