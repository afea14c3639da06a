"""The programs that Kafka needs: a Java that is new enough, and Kafka's jars, fetched once by Maven as `pom.xml` names them.

Maven takes them from wherever it is told to (its own settings, or a company's mirror) and refuses a jar whose checksum is wrong. They
lie in `build/kafka/`, in a folder named after the content of `pom.xml`: another version is another folder, and one that is there is
whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.refusals import CannotDo

OLDEST_JAVA: Final = 17
"""Kafka 4's brokers run on Java 17 and newer."""

_HERE: Final = Path(__file__).resolve().parent
_POM: Final = _HERE / "pom.xml"
_LOGGING: Final = _HERE / "log4j2.properties"
_BUILD: Final = _HERE.parents[1] / "build" / "kafka"

_HEAP: Final = "-Xmx1g"
_QUICK_START: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true")
"""A node is ready after 4.2 s of CPU instead of 7.1 s. In production the defaults are right: they pay off after minutes."""


class NoKafka(CannotDo):
    """Java, Maven or the jars are missing."""


@dataclass(frozen=True, slots=True)
class Kafka:
    """Kafka's programs, ready to be run."""

    java: str
    jars: Path

    @property
    def command(self) -> tuple[str, ...]:
        """The command line of any of them, up to the name of its class."""
        logging = f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"
        return (self.java, _HEAP, *_QUICK_START, logging, "-cp", f"{self.jars}{os.sep}*")


def kafka() -> Kafka:
    """Ready to be run; the jars are fetched if they are not there yet. Raises `NoKafka`."""
    java = _java()
    jars = _BUILD / hashlib.sha256(_POM.read_bytes()).hexdigest()[:16]
    if not jars.is_dir():
        with _one_at_a_time():
            if not jars.is_dir():
                _fetch(jars)
    return Kafka(java, jars)


def major_version(said: str) -> int | None:
    """Of what ``java -version`` says: ``openjdk version "17.0.15" 2025-04-15`` is 17, ``java version "1.8.0_452"`` is 8."""
    found = re.search(r'version "(?:1\.)?([0-9]+)', said)
    return int(found[1]) if found else None


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    wanted = f"Apache Kafka needs Java {OLDEST_JAVA} or newer"
    mend = (
        f"Install it (Debian, Ubuntu: apt install openjdk-{OLDEST_JAVA}-jre-headless maven), or name it in JAVA_HOME."
    )
    if java is None:
        raise NoKafka(f"{wanted}, and found none. {mend}")
    said = subprocess.run((java, "-version"), capture_output=True, text=True, check=False).stderr
    version = major_version(said)
    if version is None or version < OLDEST_JAVA:
        raise NoKafka(f"{wanted}, and found {f'Java {version}' if version else 'one that does not run'}. {mend}")
    return java


def _fetch(jars: Path) -> None:
    """All or nothing: a folder that is there is whole."""
    maven = shutil.which("mvn")
    if maven is None:
        raise NoKafka(
            "Apache Kafka's jars are fetched by Maven (mvn), which was not found. Install it (Debian, Ubuntu: apt install maven)."
        )
    print("Fetching Apache Kafka's jars (45 MB, once) …", flush=True)
    with tempfile.TemporaryDirectory(dir=_BUILD) as draft:
        command = (maven, "--batch-mode", "--quiet", "--strict-checksums", "--file", str(_POM))
        fetched = subprocess.run(
            (*command, "dependency:copy-dependencies", f"-Djars={draft}/jars"),
            capture_output=True,
            text=True,
            check=False,
        )
        if fetched.returncode:
            said = "\n".join((fetched.stdout + fetched.stderr).splitlines()[:12])
            raise NoKafka(f"Maven could not fetch Apache Kafka's jars. It says:\n{said}")
        Path(draft, "jars").rename(jars)


@contextmanager
def _one_at_a_time() -> Generator[None]:
    _BUILD.mkdir(parents=True, exist_ok=True)
    with (_BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
