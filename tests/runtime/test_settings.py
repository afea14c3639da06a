"""A process starts with settings that are complete and fit for where it runs, or says everything that is wrong, and no secret."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.runtime.settings import Settings
from services.runtime.settings_page import document
from services.runtime.settings_problems import LOCAL_ISSUER, BadSettings

ROOT = Path(__file__).parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()
IN_PRODUCTION: dict[str, Any] = {
    "profile": "production",
    "instance": "small-0",
    "jwks_url": "https://sign-in.example/keys",
    "issuer": "https://sign-in.example",
}


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("WEGENETZ_"):
            monkeypatch.delenv(name)


def test_on_one_machine_a_name_is_enough() -> None:
    settings = Settings.load(service="small")

    assert settings.profile == "embedded"
    assert settings.log_is_volatile, "the embedded broker forgets its log"
    assert not settings.kafka_idempotent, "the embedded broker has no idempotent producer"


def test_in_production_the_broker_keeps_its_log_and_takes_each_message_once() -> None:
    settings = Settings.load(service="small", **IN_PRODUCTION)

    assert settings.kafka_idempotent
    assert not settings.log_is_volatile


def test_settings_come_from_the_environment_before_secret_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "wegenetz_database_url").write_text("mongodb://from-file")
    (tmp_path / "wegenetz_person_key").write_text(KEY)
    monkeypatch.setenv("WEGENETZ_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("WEGENETZ_DATABASE_URL", "mongodb://from-environment")
    monkeypatch.setenv("WEGENETZ_COUNTIES", '["03459", "03456"]')

    settings = Settings.load(service="small", port=8001)

    assert settings.database_url.get_secret_value() == "mongodb://from-environment"
    assert settings.person_key is not None
    assert settings.person_key.get_secret_value() == KEY
    assert settings.counties == ("03459", "03456")
    assert settings.port == 8001


@pytest.mark.parametrize(
    ("wrong", "variable"),
    [
        ({"local_issuer_key_file": "key.jwk"}, "WEGENETZ_LOCAL_ISSUER_KEY_FILE"),
        ({"clock": "virtual", "clock_start": "2016-01-01T00:00:00Z"}, "WEGENETZ_CLOCK"),
        ({"log_is_volatile": True}, "WEGENETZ_LOG_IS_VOLATILE"),
        ({"ids_seed": "1"}, "WEGENETZ_IDS_SEED"),
        ({"jwks_url": None}, "WEGENETZ_JWKS_URL"),
        ({"jwks_url": "http://sign-in.example/keys"}, "WEGENETZ_JWKS_URL"),
        ({"issuer": LOCAL_ISSUER}, "WEGENETZ_ISSUER"),
        ({"peers": {"shop": "https://shop.example"}}, "WEGENETZ_SERVICE_TOKENS_DIR"),
        ({"peers": {"shop": "http://shop.example"}, "service_tokens_dir": "tokens"}, "WEGENETZ_PEERS"),
    ],
)
def test_production_refuses_what_is_made_for_one_machine(wrong: dict[str, object], variable: str) -> None:
    values: dict[str, Any] = IN_PRODUCTION | wrong
    with pytest.raises(BadSettings) as refused:
        Settings.load(service="small", **values)

    (problem,) = refused.value.problems
    assert problem.removeprefix(variable)[0] in " :"


def test_in_production_each_process_is_given_a_name_and_on_one_machine_it_has_one() -> None:
    assert Settings.load(service="small").instance == "0"
    with pytest.raises(BadSettings, match="WEGENETZ_INSTANCE is missing; two processes of one name"):
        Settings.load(service="small", **{name: value for name, value in IN_PRODUCTION.items() if name != "instance"})
    assert Settings.load(service="small", **IN_PRODUCTION | {"instance": "0"}).instance == "0"


def test_production_says_everything_that_is_wrong_at_once() -> None:
    with pytest.raises(BadSettings) as refused:
        Settings.load(
            service="small",
            needs=["person_key"],
            profile="production",
            local_issuer_key_file="key.jwk",
            clock="virtual",
            log_is_volatile=True,
            ids_seed="1",
        )

    message = str(refused.value)
    for variable in (
        "LOCAL_ISSUER_KEY_FILE",
        "JWKS_URL",
        "ISSUER",
        "CLOCK",
        "CLOCK_START",
        "INSTANCE",
        "LOG_IS_VOLATILE",
        "IDS_SEED",
    ):
        assert f"\n- WEGENETZ_{variable} " in message
    assert "\n- WEGENETZ_PERSON_KEY is missing" in message


def test_production_refuses_also_who_builds_the_settings_by_hand() -> None:
    with pytest.raises(ValidationError, match="WEGENETZ_JWKS_URL is missing"):
        Settings(service="small", profile="production")


def test_keys_and_events_may_come_through_a_sidecar_of_the_same_machine() -> None:
    peers = {"peers": {"shop": "http://127.0.0.1:9001"}, "service_tokens_dir": "tokens"}
    assert Settings.load(service="small", **IN_PRODUCTION | peers | {"jwks_url": "http://127.0.0.1:9000/keys"}).peers


def test_a_service_does_not_start_without_the_secret_that_it_needs() -> None:
    with pytest.raises(BadSettings, match="WEGENETZ_PERSON_KEY is missing"):
        Settings.load(service="small", needs=["person_key"])
    assert Settings.load(service="small", needs=["person_key"], person_key=KEY).person_key
    assert Settings.load(service="small").person_key is None, "who does not need a secret is not given it"


def test_a_need_that_is_no_setting_is_a_mistake() -> None:
    with pytest.raises(BadSettings, match="'persn_key', which is not a setting"):
        Settings.load(service="small", needs=["persn_key"])


@pytest.mark.parametrize("key", ["not base64!", base64.b64encode(bytes(31)).decode(), ""])
def test_a_master_key_is_32_bytes(key: str) -> None:
    with pytest.raises(BadSettings, match=r"^The settings are not usable:\n- WEGENETZ_PERSON_KEY: .*$"):
        Settings.load(service="small", person_key=key)


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=20, max_size=60))
def test_no_secret_is_ever_printed(secret: str) -> None:
    url = SecretStr(f"mongodb://user:{secret}@db")
    settings = Settings(service="small", database_url=url)
    assert secret not in f"{settings!r}{settings!s}{settings.model_dump()!r}{settings.model_dump_json()}"

    with pytest.raises(ValidationError) as refused:
        Settings(service="small", person_key=SecretStr(secret), port=-1, database_url=url)
    assert secret not in f"{refused.value}{refused.value!r}"

    with pytest.raises(BadSettings) as told:
        Settings.load(service="small", person_key=secret, port=-1)
    assert secret not in f"{told.value}{told.value!r}"
    assert told.value.__cause__ is None, "a traceback would print the cause"


def test_a_list_that_is_not_json_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEGENETZ_PEERS", "{hush")

    with pytest.raises(BadSettings, match="peers") as refused:
        Settings.load(service="small")
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("counties", ["3459"]), ("counties", []), ("kafka", "nowhere"), ("port", 65536), ("service", "Small Service")],
)
def test_values_out_of_range_are_named_by_their_variable(name: str, value: object) -> None:
    values = {"service": "small", name: value}
    with pytest.raises(BadSettings, match=f"WEGENETZ_{name.upper()}"):
        Settings.load(**values)  # type: ignore[arg-type]


def test_a_folder_of_secrets_that_is_not_there_is_told() -> None:
    with pytest.raises(BadSettings, match="WEGENETZ_SECRETS_DIR"):
        Settings.load(service="small", secrets_dir="/no/such/folder")


def test_no_file_of_the_working_directory_changes_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("WEGENETZ_PORT=4242\n")
    monkeypatch.chdir(tmp_path)

    assert Settings.load(service="small").port == 0


def test_settings_do_not_change_while_a_process_runs() -> None:
    with pytest.raises(ValidationError):
        Settings.load(service="small").port = 1  # type: ignore[misc]


def test_every_setting_is_documented() -> None:
    page = document()
    for name, field in Settings.model_fields.items():
        assert f"| `WEGENETZ_{name.upper()}` |" in page
        assert str(field.description).endswith("."), f"{name} needs a sentence"


def test_the_page_of_settings_is_up_to_date() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "services.runtime.settings_page"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    page = ROOT / "docs" / "architecture" / "settings.md"
    assert page.read_text(encoding="utf-8") == made.stdout, "run the command that stands at the page's top"
