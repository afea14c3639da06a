"""``make kafka``: Apache Kafka in the foreground, one node or three, until Ctrl-C. A node that ends is started again."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.embedded.folder import Choices, DataFolder, RunningCopy
from deploy.embedded.interrupts import stopping_on_signals
from deploy.embedded.ports import reserve
from deploy.embedded.supervisor import Supervisor
from deploy.embedded.view import StatesView
from deploy.kafka.jars import kafka
from deploy.kafka.nodes import Ports, bootstrap, node_names, nodes, port_names
from deploy.refusals import CannotDo
from deploy.topics import until_nodes_answer

DATA: Final = Path("var/kafka")
_FIRST: Final = Choices(broker="kafka", nodes=1)


def main(arguments: Sequence[str]) -> int:
    """The exit code, as `deploy.cli` has them."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_run(options.data, options.nodes, Console()))
    except CannotDo as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


async def _run(path: Path, number: int | None, console: Console) -> None:
    view = StatesView(console)
    with ExitStack() as opened:
        folder = opened.enter_context(DataFolder(path))
        names = node_names(folder.choose(Choices(broker="kafka", nodes=number), _FIRST).nodes or 1)
        programs = await asyncio.to_thread(kafka)
        last, ports = folder.last_ports(), dict[str, int]()
        for name in (name for node in names for name in port_names(node)):
            port = reserve(last.get(name))
            opened.callback(port.close)
            ports[name] = port.number
        folder.keep_ports(ports)
        own = [Ports(*(ports[name] for name in port_names(node))) for node in names]
        where = bootstrap(own)
        supervisor = Supervisor(
            nodes(programs, folder.kafka, own),
            None,
            (),
            folder=folder.path,
            logs=folder.logs,
            log_is_kept=True,
            prepare=partial(until_nodes_answer, where, len(own)),
            changed=view.changed,
            spawned=folder.record_processes,
        )
        with view, stopping_on_signals(supervisor.kill_all, partial(console.print, "Stopping.")):
            console.print("Starting Apache Kafka …")
            await supervisor.start()
            try:
                folder.announce(RunningCopy(pid=os.getpid(), broker=where, database=""))
                console.print(f"\nApache Kafka is up: {where}", highlight=False, soft_wrap=True)
                profile = " --profile production" if len(own) > 1 else ""
                console.print(
                    f"Its topics: wegenetz topics apply --data {shlex.quote(str(path))}{profile}",
                    highlight=False,
                    soft_wrap=True,
                )
                console.print(f"Data and logs are in {path}/. Ctrl-C stops it.\n", highlight=False)
                await supervisor.run()
            finally:
                await supervisor.stop()
    console.print("Stopped. The log stays; the same command goes on from here.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make kafka", description="Apache Kafka on this machine, until Ctrl-C.")
    parser.add_argument("--nodes", type=int, choices=(1, 3), help="of one node (default), or three with three copies")
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help=f"the data folder (default: {DATA})")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
