"""``python -m deploy.kafka.node HOME CLUSTER JAVA…`` prepares a node's folder if that was never done, and becomes the node.

`HOME` has its settings; `JAVA…` is the command line of any of Kafka's programs, up to the name of its class. A preparation that was cut
off is begun anew: a node whose mark is missing has never run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.kafka.nodes import DATA, SETTINGS

PREPARED: Final = "prepared"


def main(home: Path, cluster: str, java: list[str]) -> None:
    """Never returns. Exits with Kafka's own code if it does not prepare the folder."""
    settings = str(home / SETTINGS)
    if not (home / PREPARED).exists():
        shutil.rmtree(home / DATA, ignore_errors=True)
        prepare = ("kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", settings)
        prepared = subprocess.run((*java, *prepare), check=False).returncode
        if prepared:
            raise SystemExit(prepared)
        (home / PREPARED).touch()
    os.execv(java[0], [*java, "kafka.Kafka", settings])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
