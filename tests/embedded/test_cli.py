"""The `wegenetz` command: what an operator types, what the services are asked, and what a person reads."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from deploy import operating
from deploy.cli import DONE, FAILED, NOT_UNDERSTOOD, main
from deploy.embedded.folder import Choices, DataFolder, RunningCopy
from services.runtime.local_issuer import LocalIssuer
from services.runtime.settings import Settings

LETTERS = [
    {
        "id": letter * 64,
        "at": "2026-01-05T10:00:00Z",
        "type": "wegenetz.intake.arrival-registered.v1",
        "reason": "invalid-data",
        "detail": "district",
        "headers": [
            ["ce_id", base64.b64encode(b"7").decode()],
            ["odd", base64.b64encode(b"\xff").decode()],
            ["none", None],
        ],
        "value": base64.b64encode(b'{"district": 1}').decode(),
    }
    for letter in "abc"
]


class Asked:
    """The doors of services, as a running copy has them, and what came in through them."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str, object]] = []
        self.refuses = False
        self.takes_seconds = 0.0
        self.rebuilt = {"facts": 3332, "cells": 12410, "changed": 0}
        asked = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.take(self, None)

            def do_POST(self) -> None:
                asked.take(self, json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, door: BaseHTTPRequestHandler, body: object) -> None:
        address = urlsplit(door.path)
        self.requests.append((door.command, address.path, door.headers["authorization"].removeprefix("Bearer "), body))
        threading.Event().wait(self.takes_seconds)
        door.send_response(409 if self.refuses else 200)
        door.end_headers()
        door.wfile.write(json.dumps(self._answer(address.path, parse_qs(address.query))).encode())

    def posts(self) -> list[tuple[str, object]]:
        return [(path, body) for method, path, _, body in self.requests if method == "POST"]

    def _answer(self, path: str, query: dict[str, list[str]]) -> object:
        if self.refuses:
            return {"detail": "That dead letter has been settled already."}
        if path == "/runtime/dead-letters":
            page = int(query.get("cursor", ["0"])[0])
            return {"items": [LETTERS[page]], "next": str(page + 1) if page + 1 < len(LETTERS) else None}
        if path.startswith("/runtime/dead-letters/") and path.endswith("/replay"):
            return {"result": "applied"}
        if path == "/v1/rebuild":
            return self.rebuilt
        return next((letter for letter in LETTERS if letter["id"] == path.rpartition("/")[2]), {})


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Asked]:
    """A running copy with the one service `reporting`."""
    asked = Asked()
    with DataFolder(tmp_path) as folder:
        folder.choose(Choices(counties=("03357",)), Choices())
        LocalIssuer(Settings.load(service="intake", local_issuer_key_file=folder.issuer_key_file))
        url = f"http://127.0.0.1:{asked.server.server_port}"
        folder.announce(RunningCopy(1, "127.0.0.1:9", "mongodb://127.0.0.1:9", {"reporting": url}))
        yield asked
    asked.server.shutdown()
    asked.server.server_close()


def test_dead_letters_are_listed_to_the_last_page(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["dead-letters", "list", "--data", str(tmp_path)]) == DONE
    shown = capsys.readouterr().out
    assert all(letter["id"][:12] in shown for letter in LETTERS)
    assert "invalid-data" in shown


def test_a_command_comes_as_an_operator_of_the_county_that_the_data_was_begun_with(copy: Asked, tmp_path: Path) -> None:
    assert main(["rebuild", "reporting", "--data", str(tmp_path)]) == DONE
    ((_, path, token, _),) = copy.requests
    assert path == "/v1/rebuild"
    claims = _claims(tmp_path, token)
    assert (claims["role"], claims["county"]) == ("operator", "03357")


@pytest.mark.parametrize(("changed", "said"), [(0, "had been right before"), (1204, "In 1,204 of them something else")])
def test_what_a_rebuild_found_is_said_in_words(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: int, said: str
) -> None:
    copy.rebuilt["changed"] = changed
    assert main(["rebuild", "reporting", "--data", str(tmp_path)]) == DONE
    shown = capsys.readouterr().out.replace("\n", " ")
    assert "3,332 people" in shown
    assert "12,410 figures" in shown
    assert said in shown


def test_a_rebuild_is_waited_for_longer_than_anything_else(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating, "_SECONDS", 0.05)
    copy.takes_seconds = 0.3
    assert main(["topics", "refill", "--data", str(tmp_path)]) == FAILED
    assert "has not answered in time" in capsys.readouterr().err
    assert main(["rebuild", "reporting", "--data", str(tmp_path)]) == DONE


def test_a_dead_letter_is_shown_as_text_where_it_is_text(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dead-letters", "show", "bbb", "--data", str(tmp_path)]) == DONE
    shown = capsys.readouterr().out
    assert '{"district": 1}' in shown
    assert "(1 bytes that are not text) ff" in shown
    assert "(null)" in shown


def test_a_dead_letter_is_replayed_with_what_was_mended(copy: Asked, tmp_path: Path) -> None:
    (tmp_path / "mended.json").write_text('{"district": "034590001"}', encoding="utf-8")
    command = ["dead-letters", "replay", "b", "--value", str(tmp_path / "mended.json"), "--header", "ce_county=03459"]
    assert main([*command, "--data", str(tmp_path)]) == DONE
    mended = {"value": '{"district": "034590001"}', "headers": {"ce_county": "03459"}}
    assert copy.posts() == [(f"/runtime/dead-letters/{'b' * 64}/replay", mended)]


def test_a_dead_letter_is_given_up_only_with_a_reason(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(["dead-letters", "discard", "c", "--data", str(tmp_path)])
    assert refusal.value.code == NOT_UNDERSTOOD
    assert main(["dead-letters", "discard", "c", "--reason", "sent twice", "--data", str(tmp_path)]) == DONE
    assert copy.posts() == [(f"/runtime/dead-letters/{'c' * 64}/discard", {"reason": "sent twice"})]


def test_an_id_that_fits_several_letters_settles_none(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dead-letters", "replay", "", "--data", str(tmp_path)]) == FAILED
    assert "3 dead letters" in capsys.readouterr().err
    assert copy.posts() == []


def test_what_a_service_refuses_is_said_in_its_words(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy.refuses = True
    assert main(["rebuild", "reporting", "--data", str(tmp_path)]) == FAILED
    assert "That dead letter has been settled already." in capsys.readouterr().err


def test_a_service_that_does_not_answer_points_to_its_log(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy.server.shutdown()
    copy.server.server_close()
    assert main(["topics", "refill", "--data", str(tmp_path)]) == FAILED
    assert "reporting.log" in capsys.readouterr().err


def test_where_nothing_runs_the_answer_is_how_to_start_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["dead-letters", "list"], ["rebuild", "reporting"], ["topics", "refill"], ["topics", "apply"]):
        assert main([*command, "--data", str(tmp_path)]) == FAILED
        assert "Nothing is running" in capsys.readouterr().err


def test_a_token_is_for_the_role_and_office_that_were_asked_for(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["token", "--role", "clerk", "--office", "033570008", "--county", "03459", "--data", str(tmp_path)]
    assert main(asked) == DONE
    claims = _claims(tmp_path, capsys.readouterr().out.strip())
    assert (claims["role"], claims["office"], claims["county"]) == ("clerk", "033570008", "03459")
    assert "site" not in claims


def test_there_is_no_token_before_the_first_start_and_none_in_production(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["token", "--role", "operator", "--data", str(tmp_path / "elsewhere")]) == FAILED
    assert "the first start makes it" in capsys.readouterr().err
    monkeypatch.setenv("WEGENETZ_PROFILE", "production")
    assert main(["token", "--role", "operator", "--data", str(tmp_path)]) == FAILED
    assert "production" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["serve", "weather"], "There is no service 'weather'"),
        (["token", "--role", "king"], "There is no role 'king'"),
        (["dead-letters", "list", "--service", "weather"], "There is no service 'weather'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(
    copy: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], said: str
) -> None:
    data = [] if command[0] == "serve" else ["--data", str(tmp_path)]
    assert main([*command, *data]) == NOT_UNDERSTOOD
    assert said in capsys.readouterr().err


def _claims(folder: Path, token: str) -> dict[str, object]:
    key = json.loads(DataFolder(folder).issuer_key_file.read_text(encoding="utf-8"))
    return dict(jwt.decode(token, ECKey.import_key(key)).claims)
