"""One node of Kafka, or three: what each is told, and how it is started.

Every node is broker and controller at once, and they find each other by a list that each of them has. All that a node keeps lies in its
folder; its addresses may be others at the next start, its number and the cluster's name may not.
"""

from __future__ import annotations

import base64
import json
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.embedded.child import Program
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.programs import bare_environment, listens
from deploy.kafka.jars import Kafka

SETTINGS: Final = "node.properties"
DATA: Final = "data"
CLUSTER: Final = "cluster"

_READY_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 20.0
_SESSION_MS: Final = 6_000
"""A node that is silent for so long is out, and its partitions have another leader. A killed one cannot come back before."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Of one node: where clients and other nodes reach it, and where the controllers talk."""

    broker: int
    controller: int


def bootstrap(ports: Sequence[Ports]) -> str:
    """Where clients ask first: every node."""
    return ",".join(f"{LOOPBACK}:{node.broker}" for node in ports)


def node_names(number: int) -> tuple[str, ...]:
    """What the nodes are called as programs: one is the broker."""
    return ("broker",) if number == 1 else tuple(f"broker-{node}" for node in range(1, number + 1))


def port_names(node: str) -> tuple[str, str]:
    """What the ports of a node are called where they are kept: the first is the broker's."""
    return node, f"{node} (controller)"


def nodes(kafka: Kafka, folder: Path, ports: Sequence[Ports]) -> tuple[Program, ...]:
    """The programs of a cluster that keeps its files under `folder`, to be started in any order, each as often as need be."""
    cluster = _cluster(folder)
    programs: list[Program] = []
    for number, (name, own) in enumerate(zip(node_names(len(ports)), ports, strict=True), start=1):
        home = folder / f"node-{number}"
        home.mkdir(parents=True, exist_ok=True)
        (home / SETTINGS).write_text(_written(settings(number, ports, home / DATA)), encoding="ascii")
        launcher = (sys.executable, "-m", "deploy.kafka.node", str(home), cluster)
        programs.append(
            Program(
                name,
                (*launcher, *kafka.command),
                listens(own.broker),
                {**bare_environment(), "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
                ready_seconds=_READY_SECONDS,
                stop_seconds=_STOP_SECONDS,
            )
        )
    return tuple(programs)


def settings(number: int, ports: Sequence[Ports], data: Path) -> dict[str, str]:
    """What node `number` (from 1) of so many is told. With three, what Kafka keeps for itself has three copies, two of which must agree."""
    own = ports[number - 1]
    copies = str(min(3, len(ports)))
    agreeing = str(max(1, min(3, len(ports)) - 1))
    return {
        "process.roles": "broker,controller",
        "node.id": str(number),
        "controller.quorum.voters": ",".join(
            f"{node}@{LOOPBACK}:{its.controller}" for node, its in enumerate(ports, start=1)
        ),
        "listeners": f"BROKER://{LOOPBACK}:{own.broker},CONTROLLER://{LOOPBACK}:{own.controller}",
        "advertised.listeners": f"BROKER://{LOOPBACK}:{own.broker}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data),
        "broker.session.timeout.ms": str(_SESSION_MS),
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": agreeing,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": agreeing,
        # A group need not wait for members that may still come: each instance works for itself.
        "group.initial.rebalance.delay.ms": "0",
    }


def _written(told: Mapping[str, str]) -> str:
    """As Java reads properties: a backslash is doubled, and what is not ASCII is written as its code, both as JSON does it."""
    return "".join(f"{name}={json.dumps(value)[1:-1]}\n" for name, value in told.items())


def _cluster(folder: Path) -> str:
    """The cluster's name, made at the first start: 16 bytes, written as Kafka writes them."""
    file = folder / CLUSTER
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="), encoding="ascii")
    return file.read_text(encoding="ascii")
