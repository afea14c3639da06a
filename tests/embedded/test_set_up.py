"""What a stranger's machine needs: one lock for any mirror, pip's settings honoured, licences named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from deploy.notices import NOTICES, licence_of, locked_names
from deploy.set_up import LOCK, PROJECT, lock_command, uv_settings

LOCKED = LOCK.read_text(encoding="utf-8")


def test_every_locked_package_has_a_version_and_a_hash() -> None:
    entries = re.split(r"\n(?=\S)", LOCKED.strip())
    assert len(entries) == len(locked_names(LOCKED))
    assert all(re.match(r"[a-z0-9._-]+==\S+", entry) and "--hash=sha256:" in entry for entry in entries)


def test_the_lock_names_no_address() -> None:
    assert "://" not in LOCKED
    assert "index-url" not in LOCKED


def test_no_package_is_locked_in_two_versions() -> None:
    names = locked_names(LOCKED)
    assert len(names) == len(set(names))


def test_nothing_is_upgraded_unless_somebody_asks_for_it() -> None:
    """uv takes the versions of the file that it writes to, as long as nobody says otherwise."""
    assert lock_command()[-2:] == ["--output-file", LOCK.name]
    assert not [option for option in lock_command() if "upgrade" in option]
    assert lock_command(["--upgrade"])[-1] == "--upgrade"


def test_everything_that_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = [wanted for extra in project["optional-dependencies"].values() for wanted in extra]
    names = {re.split(r"[\[<>=]", wanted)[0].lower() for wanted in [*project["dependencies"], *extras]}
    assert names <= set(locked_names(LOCKED))


def test_third_party_notices_name_every_package_with_a_licence() -> None:
    rows = re.findall(r"^\| (\S+) \| \S+ \| (.+) \|$", NOTICES.read_text(encoding="utf-8"), re.MULTILINE)
    named = {re.sub(r"[-_.]+", "-", name).lower() for name, _ in rows}
    for_other_systems = {"colorama"}
    assert named >= set(locked_names(LOCKED)) - for_other_systems
    assert all(licence.strip() for _, licence in rows)


def test_uv_looks_for_packages_where_pip_does(tmp_path: Path) -> None:
    pip = {
        "index-url": "https://mirror.example/simple",
        "extra-index-url": "https://one.example/simple\nhttps://two.example/simple",
        "find-links": f"{tmp_path} {tmp_path}/missing",
        "cert": "/etc/certificates.pem",
        "disable-pip-version-check": "1",
    }
    assert uv_settings(pip) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": str(tmp_path),
        "SSL_CERT_FILE": "/etc/certificates.pem",
    }


def test_where_pip_has_no_settings_uv_gets_none() -> None:
    assert uv_settings({}) == {}


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ({"license_expression": "MIT OR Apache-2.0", "license": "see below"}, "MIT OR Apache-2.0"),
        ({"classifier": ["License :: OSI Approved", "License :: OSI Approved :: MIT License"]}, "MIT"),
        ({"license": "Apache 2.0\n\nlong text"}, "Apache-2.0"),
    ],
)
def test_a_licence_is_read_from_the_most_exact_place(metadata: dict[str, object], licence: str) -> None:
    class Package:
        name = version = "one"

        class metadata:  # noqa: N801
            json = metadata

    Package.metadata.json = metadata
    assert licence_of(Package) == licence  # pyright: ignore[reportArgumentType]
