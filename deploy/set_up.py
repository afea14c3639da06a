"""Makes `.venv` hold exactly what `requirements.lock` says, and the project itself. Run by ``make``; needs Python alone.

* Does nothing when lock, project file and place are those of the last finished set-up, and no more than is needed otherwise.
* uv comes through pip, and looks for packages where pip is configured to look: whoever has a mirror has told pip.
* Every download is compared with its hash in the lock.
* Says in a line what it does, while it does it, and how long it took. The addresses that pip is configured with are not shown.

``set_up.py lock`` brings the lock to what `pyproject.toml` says instead. What is locked stays as it is as far as that allows, so that
nothing changes unasked; ``lock --upgrade`` looks for newer versions of everything, ``lock --upgrade-package NAME`` of one package.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOCK: Final = ROOT / "requirements.lock"
PROJECT: Final = ROOT / "pyproject.toml"
ENVIRONMENT: Final = ROOT / ".venv"
PYTHON: Final = ENVIRONMENT / "bin" / "python"
_DONE: Final = ENVIRONMENT / "set-up-of"


class StepFailed(Exception):
    """A program that the set-up needs ended with an error; the text is the end of what it printed."""


def main(arguments: Sequence[str]) -> int:
    try:
        if list(arguments[:1]) == ["lock"]:
            resolve_lock(arguments[1:])
        else:
            set_up()
    except StepFailed as failure:
        print(f" failed.\n\n{failure}\n", file=sys.stderr)
        print(
            "The set-up did not finish. It needs the Python package registry, as pip is configured to reach it "
            "(see `pip config list`).\nWhat was there before is incomplete now; run the same command again.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(" stopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


def set_up() -> None:
    """Bring `.venv` to what the lock says, if it is not."""
    if _is_done():
        return
    with PROJECT.open("rb") as held:  # two `make` at once: the second waits, and then finds it done
        fcntl.flock(held, fcntl.LOCK_EX)
        if _is_done():
            return
        began = time.monotonic()
        if _DONE.exists() and _done()[0] == str(ROOT) and PYTHON.exists():
            print("Bringing .venv to what requirements.lock and pyproject.toml say now:", flush=True)
            _DONE.unlink()  # whoever interrupts this gets a new one
        else:
            version = ".".join(map(str, sys.version_info[:3]))
            print(
                f"Setting up .venv from requirements.lock with Python {version} (once, half a minute or so):",
                flush=True,
            )
            _step("making the virtual environment", _make_environment)
            _step("installing uv", _install_uv)
        _step("installing the locked packages", _install_locked)
        _step("installing wegenetz itself", _install_project)
        _DONE.write_text("\n".join(_wanted()), encoding="utf-8")
        print(f"Set up in {time.monotonic() - began:.0f} s.", flush=True)


def resolve_lock(options: Sequence[str] = ()) -> None:
    """Bring `requirements.lock` to what `pyproject.toml` says; `options` as uv knows them."""
    before = LOCK.read_bytes()
    _run(lock_command(options), uv_environment())
    if LOCK.read_bytes() == before:
        print("requirements.lock stays as it was.")
    else:
        print("requirements.lock has changed; the next make sets up from it.")


def lock_command(options: Sequence[str] = ()) -> list[str]:
    """One lock for every Python from 3.11 on: one version of each package, with hashes, without addresses."""
    wanted = ("pyproject.toml", "--all-extras", "--universal", "--python-version", "3.11", "--fork-strategy", "fewest")
    form = ("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header")
    uv = str(ENVIRONMENT / "bin" / "uv")
    return [uv, "pip", "compile", "--quiet", *wanted, *form, "--output-file", LOCK.name, *options]


def uv_environment() -> dict[str, str]:
    """The environment in which uv finds packages where pip does; what is set for uv already stays."""
    environment = dict(os.environ)
    for name, value in uv_settings(_pip_settings()).items():
        environment.setdefault(name, value)
    environment |= {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    return environment


def uv_settings(pip: Mapping[str, str]) -> dict[str, str]:
    """The settings of uv that say the same as these settings of pip."""
    settings: dict[str, str] = {}
    for of_pip, of_uv, separator in _SAME_MEANING:
        values = pip.get(of_pip, "").split()
        if of_pip == "find-links":
            values = [value for value in values if "://" in value or Path(value).expanduser().is_dir()]
        if values:
            settings[of_uv] = separator.join(values)
    return settings


_SAME_MEANING: Final = (
    ("index-url", "UV_DEFAULT_INDEX", " "),
    ("extra-index-url", "UV_INDEX", " "),
    ("find-links", "UV_FIND_LINKS", ","),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("no-index", "UV_NO_INDEX", " "),
    ("cert", "SSL_CERT_FILE", " "),
    ("proxy", "ALL_PROXY", " "),
    ("default-timeout", "UV_HTTP_TIMEOUT", " "),
    ("timeout", "UV_HTTP_TIMEOUT", " "),
)


def _pip_settings() -> dict[str, str]:
    """What ``pip config list`` says: ``install.`` goes before ``global.``, the environment before both."""
    listed = _run([str(PYTHON), "-m", "pip", "config", "list"], os.environ)
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in found:
            found[section][key] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def _make_environment() -> None:
    venv.create(ENVIRONMENT, clear=True, symlinks=True, with_pip=True)


def _install_uv() -> None:
    """The one package that pip installs, with its hashes from the lock like all others."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as wanted:
        wanted.write(_locked("uv"))
        wanted.flush()
        _run(
            [*(str(PYTHON), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", wanted.name)],
            {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )


def _install_locked() -> None:
    """Compiled at once: otherwise the first start does it, four times over, while somebody waits."""
    _uv_pip("sync", "--require-hashes", "--compile-bytecode", LOCK.name)


def _install_project() -> None:
    _uv_pip("install", "--no-deps", "--no-build-isolation", "--offline", "--editable", ".")


def _locked(package: str) -> str:
    """The lock's entry of a package: its version and the continued lines with hashes."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{package}=="))
    end = next(number for number in range(start, len(lines)) if not lines[number].endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


def _uv_pip(verb: str, *arguments: str) -> None:
    uv = str(ENVIRONMENT / "bin" / "uv")
    _run([uv, "pip", verb, "--quiet", "--python", str(PYTHON), *arguments], uv_environment())


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise StepFailed((finished.stderr or finished.stdout).strip()[-4000:])
    return finished.stdout


def _step(what: str, act: Callable[[], None]) -> None:
    began = time.monotonic()
    print(f"  {what} …", end="", flush=True)
    act()
    print(f" {time.monotonic() - began:.1f} s", flush=True)


def _is_done() -> bool:
    return _DONE.exists() and _done() == _wanted() and PYTHON.exists()


def _done() -> list[str]:
    return _DONE.read_text(encoding="utf-8").splitlines()


def _wanted() -> list[str]:
    """The place, since a virtual environment does not survive a move; and what is to be installed there."""
    return [str(ROOT), hashlib.sha256(LOCK.read_bytes() + PROJECT.read_bytes()).hexdigest()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
