"""Every setting of a process, in one place, read from the environment (`WEGENETZ_…`) or from a folder of secret files.

What is guaranteed: secrets are never printed, neither by `repr` nor by an error; the production profile refuses whatever is only
meant for one machine or for a simulation, and says everything that is wrong at once. `docs/architecture/settings.md` is made from this file
(`settings_page.py`).
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AwareDatetime,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from services.runtime.publisher import Publisher
from services.runtime.settings_problems import (
    LOCAL_ISSUER,
    PREFIX,
    BadSettings,
    in_sentences,
    missing,
    unfit_for_production,
    variable,
)

MEBIBYTE: Final = 1024 * 1024
PERSON_KEY_BYTES: Final = 32

County = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]


def _in_production(data: dict[str, Any]) -> bool:
    return data["profile"] == "production"


def _on_one_machine(data: dict[str, Any]) -> bool:
    return data["profile"] == "embedded"


def _group(name: str, default: str | None = None) -> dict[str, Any]:
    """The heading under which a setting is documented, and the words for a default that depends on the profile."""
    return {"group": name} if default is None else {"group": name, "default_in_words": default}


class Settings(BaseSettings):
    """The settings of one process. Build it with `Settings.load`, which turns every problem into one `BadSettings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    service: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,30}$",
        description="Name of the service that this process runs.",
        json_schema_extra=_group("Process"),
    )
    instance: str = Field(
        default="0",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="Tells the replicas of a service apart, in the consumer group, leases, logs and traces. No two may go by one name.",
        json_schema_extra=_group("Process", "`0`; production needs one for each process"),
    )
    profile: Literal["embedded", "production"] = Field(
        default="embedded",
        description="`embedded`: everything on one machine, nothing to install. `production` refuses what is made for that only.",
        json_schema_extra=_group("Process"),
    )
    counties: tuple[County, ...] = Field(
        default=("03459",),
        min_length=1,
        description="Keys (five digits) of the counties that are served here. JSON list.",
        json_schema_extra=_group("Process"),
    )
    needs: tuple[str, ...] = Field(
        default=(),
        description="Optional settings without which this process must not start. Named by the service itself, so that a secret "
        "is given only to the process that uses it. JSON list.",
        json_schema_extra=_group("Process"),
    )
    secrets_dir: Path | None = Field(
        default=None,
        description="Folder with one file a setting, named like its variable in lower case (`wegenetz_database_url`). "
        "The environment comes first.",
        json_schema_extra=_group("Process"),
    )

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address on which HTTP is served.",
        json_schema_extra=_group("HTTP"),
    )
    port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port on which HTTP is served; 0 takes a free one.",
        json_schema_extra=_group("HTTP"),
    )
    body_limit_bytes: int = Field(
        default=MEBIBYTE,
        ge=1024,
        description="Largest body of a request, in bytes.",
        json_schema_extra=_group("HTTP"),
    )
    upload_limit_bytes: int = Field(
        default=64 * MEBIBYTE,
        ge=1024,
        description="Largest body of a request to a route that takes files, in bytes.",
        json_schema_extra=_group("HTTP"),
    )
    peers: dict[str, str] = Field(
        default={},
        description="Base URLs of the other services, from which a gap in their events is filled. "
        'JSON object: `{"name": "http://…"}`; in production with https.',
        json_schema_extra=_group("HTTP"),
    )

    database_url: SecretStr = Field(
        default=SecretStr("mongodb://127.0.0.1:27017"),
        description="MongoDB connection string, credentials included.",
        json_schema_extra=_group("Database"),
    )
    database_prefix: str = Field(
        default="wegenetz",
        pattern=r"^[a-z][a-z0-9_]{0,30}$",
        description="First part of the names of the databases.",
        json_schema_extra=_group("Database"),
    )
    load_chunk: int = Field(
        default=40,
        ge=1,
        le=10_000,
        description="States loaded by one query, at most.",
        json_schema_extra=_group("Database"),
    )

    kafka: str = Field(
        default="127.0.0.1:9092",
        pattern=r"^[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*$",
        description="Brokers to ask first: `host:port`, separated by commas.",
        json_schema_extra=_group("Broker"),
    )
    kafka_idempotent: bool = Field(
        default_factory=_in_production,
        description="Use the idempotent producer. The embedded broker has none.",
        json_schema_extra=_group("Broker", "true in production"),
    )
    log_is_volatile: bool = Field(
        default_factory=_on_one_machine,
        description="The broker forgets its log when it stops, so that histories are sent again at every start.",
        json_schema_extra=_group("Broker", "true when embedded"),
    )
    batch_records: int = Field(
        default=500,
        ge=1,
        le=10_000,
        description="Records taken in one batch, at most.",
        json_schema_extra=_group("Broker"),
    )
    retry_limit_seconds: float = Field(
        default=300,
        gt=0,
        description="How long a batch is tried again while database or broker are away, before the process stops consuming "
        "and says so.",
        json_schema_extra=_group("Broker"),
    )
    dead_letter_limit: int = Field(
        default=100,
        ge=0,
        le=1000,
        description="Dead letters among 1,000 records, at most. Beyond it the process stops consuming: that many point to an "
        "error of its own.",
        json_schema_extra=_group("Broker"),
    )

    clock: Literal["real", "virtual"] = Field(
        default="real",
        description="Business time: the world's, or moved in steps from outside.",
        json_schema_extra=_group("Time and ids"),
    )
    clock_start: AwareDatetime | None = Field(
        default=None,
        description="First instant of a virtual clock that was never moved (ISO 8601 with time zone).",
        json_schema_extra=_group("Time and ids"),
    )
    ids_seed: str | None = Field(
        default=None,
        description="Makes root ids repeatable, for simulations. Without it they are random.",
        json_schema_extra=_group("Time and ids"),
    )

    otlp_endpoint: str | None = Field(
        default=None,
        description="Base URL of an OpenTelemetry collector that takes traces (OTLP over HTTP, `http://collector:4318`).",
        json_schema_extra=_group("Telemetry"),
    )
    traces_file: Path | None = Field(
        default=None,
        description="File to which spans are appended as JSON lines.",
        json_schema_extra=_group("Telemetry"),
    )
    tracing: bool = Field(
        default=True,
        description="Whether spans are made. Without them, incoming trace ids are still handed on.",
        json_schema_extra=_group("Telemetry"),
    )
    trace_sample_ratio: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="Share of new traces that is kept. Failed spans, and those of a second and more, are kept in any case.",
        json_schema_extra=_group("Telemetry"),
    )
    metrics: bool = Field(
        default=True,
        description="Whether anything is counted. Without it, `/metrics` shows the process alone, and no alert can be raised.",
        json_schema_extra=_group("Telemetry"),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="Least important log entry that is written.",
        json_schema_extra=_group("Telemetry"),
    )

    issuer: str = Field(
        default=LOCAL_ISSUER,
        min_length=1,
        description="Issuer (`iss`) that a token must name.",
        json_schema_extra=_group("Security", f"`{LOCAL_ISSUER}`; production needs another"),
    )
    audience: str = Field(
        default="wegenetz",
        min_length=1,
        description="Audience (`aud`) that a token must name.",
        json_schema_extra=_group("Security"),
    )
    jwks_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Where the issuer publishes its public keys. Needed in production, with https.",
        json_schema_extra=_group("Security"),
    )
    discovery_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Where the sign-in service describes itself (OpenID Connect Discovery), as this process reaches it; needed when "
        "that is not `/.well-known/openid-configuration` below the issuer. In production with https.",
        json_schema_extra=_group("Security", "below the issuer"),
    )
    sign_in_client: str = Field(
        default="wegenetz-pages",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="Name (`client_id`) by which the sign-in service knows the pages.",
        json_schema_extra=_group("Security"),
    )
    sign_in_client_secret: SecretStr | None = Field(
        default=None,
        description="The pages' secret at the sign-in service, if it gave them one. Beside it or without it, each sign-in is secured "
        "by PKCE.",
        json_schema_extra=_group("Security"),
    )
    local_issuer_key_file: Path | None = Field(
        default=None,
        description="Key file of the local issuer of tokens, made when missing. Refused in production.",
        json_schema_extra=_group("Security"),
    )
    person_key: SecretStr | None = Field(
        default=None,
        description=f"Master key for personal data: {PERSON_KEY_BYTES} bytes in base64. Only for a service that asks for it.",
        json_schema_extra=_group("Security"),
    )
    sealing_key: SecretStr | None = Field(
        default=None,
        description=f"Key under which sessions of pages and secrets of webhooks are sealed: {PERSON_KEY_BYTES} bytes in base64. "
        "Needed in production by services with pages; on one machine it follows from the local issuer's key.",
        json_schema_extra=_group("Security"),
    )

    service_tokens_dir: Path | None = Field(
        default=None,
        description="Folder with one file a county, named by its key (`03459`): the bearer token with which this service asks its "
        "peers for missing events. Read at each use, so that whoever renews tokens only writes them. Needed in production where "
        "there are peers; the embedded profile has the local issuer.",
        json_schema_extra=_group("Security"),
    )

    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+$",
        description="Address at which people reach the pages of this service (`https://partner.example.org`): there the sign-in "
        "service leads them back to, and links in e-mails lead. Needed in production by services with pages.",
        json_schema_extra=_group("Notices"),
    )
    smtp_host: str | None = Field(
        default=None,
        description="Mail server that takes e-mails to partners. Without one they are kept, to be read on a page.",
        json_schema_extra=_group("Notices"),
    )
    smtp_port: int = Field(
        default=587, ge=1, le=65535, description="Port of the mail server.", json_schema_extra=_group("Notices")
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the way to the mail server is secured: `starttls`, `tls` from the beginning, or `none`, which production "
        "refuses unless the server is on the same machine.",
        json_schema_extra=_group("Notices"),
    )
    smtp_user: str | None = Field(
        default=None, description="User at the mail server, if it wants one.", json_schema_extra=_group("Notices")
    )
    smtp_password: SecretStr | None = Field(
        default=None, description="The user's password.", json_schema_extra=_group("Notices")
    )
    smtp_from: str | None = Field(
        default=None,
        pattern=r"^[^\s<>]+@[^\s<>]+$",
        description="Sender of the e-mails.",
        json_schema_extra=_group("Notices"),
    )
    notices_kept_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="Days after which a notice that was sent, kept to be read on a page, or given up is deleted.",
        json_schema_extra=_group("Notices"),
    )
    webhook_private_addresses: bool = Field(
        default=False,
        description="Whether webhooks may go to private, loopback and link-local addresses, and without https. Only where everybody "
        "who may register one is trusted with this machine's network.",
        json_schema_extra=_group("Notices"),
    )

    publishers: dict[County, Publisher] = Field(
        default={},
        description="Who publishes the figures of a county, for the catalogue. JSON object by the county's key: "
        '`{"03459": {"name": "Landkreis Osnabrück", "homepage": "https://…", "email": "…", "contact": "…", "contact_page": "https://…", '
        '"contributor": "http://dcat-ap.de/def/contributors/…"}}`. What is missing is left out; without a name it is the county\'s.',
        json_schema_extra=_group("Catalogue"),
    )
    watched: dict[str, tuple[str, ...]] = Field(
        default={},
        description="Base URLs of all replicas of each service, whose health and metrics the console looks at; the first one is asked "
        'for dead letters. JSON object: `{"name": ["http://…"]}`; in production with https.',
        json_schema_extra=_group("Operations"),
    )
    operations_dir: Path = Field(
        default=Path("operations"),
        description="Folder in which the console keeps its spans and what the metrics said.",
        json_schema_extra=_group("Operations"),
    )
    spans_kept: int = Field(
        default=1_000_000,
        ge=1000,
        description="Spans that the console keeps, at most (about 0.6 KB each).",
        json_schema_extra=_group("Operations"),
    )
    spans_kept_days: float = Field(
        default=7,
        gt=0,
        description="Days for which the console keeps spans, at most.",
        json_schema_extra=_group("Operations"),
    )

    @field_validator("person_key", "sealing_key")
    @classmethod
    def _is_a_whole_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                size = len(base64.b64decode(value.get_secret_value(), validate=True))
            except (binascii.Error, ValueError):
                raise ValueError("is not base64") from None
            if size != PERSON_KEY_BYTES:
                raise ValueError(f"must hold {PERSON_KEY_BYTES} bytes, not {size}")
        return value

    @model_validator(mode="after")
    def _refuse_what_must_not_start(self) -> Self:
        problems = [*missing(self), *(unfit_for_production(self) if self.profile == "production" else ())]
        if problems:
            raise BadSettings(problems)
        return self

    @classmethod
    def load(cls, *, service: str, needs: Collection[str] = (), **values: Any) -> Self:
        """The settings of `service` from environment and secret files; `values` come before both. Raises `BadSettings`."""
        try:
            return cls(service=service, needs=tuple(needs), **values)
        except ValidationError as error:
            raise BadSettings(list(in_sentences(error))) from None
        except SettingsError as error:
            # pydantic-settings names the field and the source; its cause, which could quote the value, stays behind.
            raise BadSettings([f"{error}; lists and objects are written as JSON."]) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then secret files. No file of the working directory is read."""
        folder = init_settings().get("secrets_dir") or os.environ.get(variable("secrets_dir")) or None
        if folder is None:
            return init_settings, env_settings
        if not Path(folder).is_dir():
            raise BadSettings([f"{variable('secrets_dir')} does not name a folder that can be read."])
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, folder)
