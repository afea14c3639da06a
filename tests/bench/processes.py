"""What a process costs: CPU seconds and memory, as the kernel counts them (``/proc``), and what it says of itself (``/metrics``)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the process began, all threads, user and system; and its resident memory in MB."""

    cpu: float
    megabytes: float

    @classmethod
    def of(cls, pid: int) -> Self:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
        return cls((int(fields[11]) + int(fields[12])) / _TICKS, pages * _PAGE / 1e6)


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: Usage.of(pid).cpu for name, pid in pids.items()}


def megabytes(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: Usage.of(pid).megabytes for name, pid in pids.items()}


def since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was added, by name."""
    return {name: after[name] - before.get(name, 0.0) for name in after}


class Stolen:
    """The share of the cores' time since it was made that the host gave to other machines. 0 on a machine of its own."""

    _STEAL: Final = 7

    def __init__(self) -> None:
        self._before = self._read()

    def share(self) -> float:
        passed = [now - before for before, now in zip(self._before, self._read(), strict=True)]
        return passed[self._STEAL] / max(1, sum(passed))

    def _read(self) -> list[int]:
        """Ticks of all cores together: user, nice, system, idle, waiting, interrupts (two kinds), stolen. Those of guests are in `user`."""
        words = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()
        return [int(word) for word in words[1 : self._STEAL + 2]]


Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scrape:
    """One reading of a service's ``/metrics``."""

    samples: Mapping[str, Mapping[Labels, float]] = field(default_factory=dict[str, Mapping[Labels, float]])

    @classmethod
    def of(cls, url: str) -> Self:
        text = httpx.get(f"{url}/metrics", timeout=10).raise_for_status().text
        samples: dict[str, dict[Labels, float]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(sorted(sample.labels.items()))
                samples.setdefault(sample.name.removeprefix("wegenetz_"), {})[labels] = sample.value
        return cls(samples)

    def total(self, name: str, **labels: str) -> float:
        """The sum over all samples of this name that carry these labels."""
        wanted = labels.items()
        return sum(value for given, value in self.samples.get(name, {}).items() if wanted <= dict(given).items())

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """Values by the values of these labels."""
        found: dict[tuple[str, ...], float] = {}
        for given, value in self.samples.get(name, {}).items():
            key = tuple(dict(given).get(label, "") for label in labels)
            found[key] = found.get(key, 0.0) + value
        return found

    def less(self, earlier: Scrape) -> Scrape:
        """What was counted since an earlier reading."""
        return Scrape(
            {
                name: {
                    labels: value - earlier.samples.get(name, {}).get(labels, 0.0) for labels, value in known.items()
                }
                for name, known in self.samples.items()
            }
        )
