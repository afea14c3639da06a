"""Services that write at the same time write into different files of the embedded database."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from deploy.embedded.system import DATABASE_PREFIX, SERVICES

FILES: Final = 16
BUSIEST: Final = {
    "intake": ("cases", "daybooks", "calendars"),
    "profiling": ("cases",),
    "referral": ("cases", "offers"),
    "reporting": ("cases",),
}
"""The states that are written for each person and each place."""


def _file(database: str, collection: str) -> int:
    """Where the embedded database keeps a collection: FNV-1a (64 bit) of both names, modulo its number of files."""
    digest = 0xCBF29CE484222325
    for byte in f"{database}\0{collection}".encode():
        digest = ((digest ^ byte) * 0x100000001B3) % 2**64
    return digest % FILES


def test_the_hash_is_the_database_s_own() -> None:
    # Two that were seen in one file, sh10, and one that was seen in another, sh7.
    assert _file("wegenetz_intake", "cases") == _file("wegenetz_reporting", "cases") == 10
    assert _file("wegenetz_referral", "cases") == 7


def test_no_two_services_write_their_busiest_states_into_one_file() -> None:
    services: defaultdict[int, set[str]] = defaultdict(set)
    for service, collections in BUSIEST.items():
        for collection in collections:
            services[_file(f"{DATABASE_PREFIX}_{service}", collection)].add(service)
    assert set(BUSIEST) == set(SERVICES)
    assert all(len(names) == 1 for names in services.values()), dict(services)
