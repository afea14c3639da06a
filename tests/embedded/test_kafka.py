"""Apache Kafka's programs and settings, as far as no Java is needed to see them. What a running one does is in `tests/kafka`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.kafka import jars
from deploy.kafka.jars import Kafka, NoKafka, kafka, major_version
from deploy.kafka.nodes import CLUSTER, SETTINGS, Ports, bootstrap, node_names, nodes, settings

THREE = [Ports(21001, 22001), Ports(21002, 22002), Ports(21003, 22003)]
PROGRAMS = Kafka("/usr/bin/java", Path("/jars"))


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_452"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("no such command", None),
    ],
)
def test_the_version_of_a_java_is_read_from_what_it_says(said: str, version: int | None) -> None:
    assert major_version(said) == version


def a_program(folder: Path, name: str, says: str = "") -> None:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    program.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are looked for; nothing was fetched before."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(jars, "_BUILD", tmp_path / "build")
    return tmp_path / "bin"


def test_without_java_a_sentence_says_what_to_install(path: Path) -> None:
    with pytest.raises(NoKafka, match=r"needs Java 17 or newer, and found none\. Install it"):
        kafka()


def test_a_java_that_is_too_old_is_named(path: Path) -> None:
    a_program(path, "java", says='openjdk version "11.0.2"')
    with pytest.raises(NoKafka, match="needs Java 17 or newer, and found Java 11"):
        kafka()


def test_without_maven_a_sentence_says_what_to_install(path: Path) -> None:
    a_program(path, "java", says='openjdk version "17.0.15"')
    with pytest.raises(NoKafka, match=r"fetched by Maven \(mvn\), which was not found"):
        kafka()


def test_what_maven_says_is_told_and_no_half_of_the_jars_stays(path: Path, tmp_path: Path) -> None:
    a_program(path, "java", says='openjdk version "17.0.15"')
    a_program(path, "mvn", says="the way there is closed")
    with pytest.raises(NoKafka, match=r"Maven could not fetch[^$]*the way there is closed"):
        kafka()
    assert [entry.name for entry in (tmp_path / "build").iterdir()] == ["lock"]


def test_which_version_is_run_is_pinned_and_no_address_is_written_down() -> None:
    text = (Path(jars.__file__).parent / "pom.xml").read_text(encoding="utf-8")
    assert all(re.fullmatch(r"[0-9][0-9.]*", version) for version in re.findall(r"<version>(.*)</version>", text))
    assert "://" not in text


def test_of_three_nodes_each_knows_all_and_two_copies_must_agree() -> None:
    told = [settings(number, THREE, Path("/data")) for number in (1, 2, 3)]
    assert {one["controller.quorum.voters"] for one in told} == {
        "1@127.0.0.1:22001,2@127.0.0.1:22002,3@127.0.0.1:22003"
    }
    assert [one["node.id"] for one in told] == ["1", "2", "3"]
    assert {(one["offsets.topic.replication.factor"], one["transaction.state.log.min.isr"]) for one in told} == {
        ("3", "2")
    }
    assert bootstrap(THREE) == "127.0.0.1:21001,127.0.0.1:21002,127.0.0.1:21003"


def test_one_node_is_the_broker_and_has_one_copy_of_everything() -> None:
    assert node_names(1) == ("broker",)
    told = settings(1, THREE[:1], Path("/data"))
    assert {told["offsets.topic.replication.factor"], told["transaction.state.log.min.isr"]} == {"1"}


def test_a_folder_with_blanks_and_umlauts_is_written_as_java_reads_it(tmp_path: Path) -> None:
    (node,) = nodes(PROGRAMS, tmp_path / "Ämter und Büros", THREE[:1])
    written = (tmp_path / "Ämter und Büros" / "node-1" / SETTINGS).read_text(encoding="ascii")
    assert r"log.dirs=" in written
    assert r"/\u00c4mter und B\u00fcros/node-1/data" in written
    assert node.command[3].endswith("/Ämter und Büros/node-1"), "one argument, whatever is in it"


def test_a_cluster_keeps_its_name_when_its_addresses_change(tmp_path: Path) -> None:
    nodes(PROGRAMS, tmp_path, THREE)
    first = (tmp_path / CLUSTER).read_text()
    nodes(PROGRAMS, tmp_path, [Ports(23001, 24001), *THREE[1:]])
    assert (tmp_path / CLUSTER).read_text() == first
    assert len(first) == 22
    assert "1@127.0.0.1:24001" in (tmp_path / "node-3" / SETTINGS).read_text()
