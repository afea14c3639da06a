"""Whether a process may start with its settings, and what is to be mended before it does: in sentences, without any value of a secret."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

if TYPE_CHECKING:
    from services.runtime.settings import Settings

PREFIX: Final = "WEGENETZ_"
LOCAL_ISSUER: Final = "wegenetz-local"
"""The issuer's name as long as nobody sets another one; production refuses it."""


class BadSettings(ValueError):
    """The process must not start like this. The message lists everything to be mended, and no value of a secret."""

    def __init__(self, problems: Collection[str]) -> None:
        super().__init__("The settings are not usable:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = tuple(problems)


def missing(settings: Settings) -> Iterator[str]:
    """What has to be set and is not, whatever the profile."""
    for name in settings.needs:
        if name not in type(settings).model_fields:
            yield f"{variable('needs')} names {name!r}, which is not a setting."
        elif getattr(settings, name) is None:
            yield f"{variable(name)} is missing; the service {settings.service} cannot work without it."
    if settings.smtp_host is not None:
        for name in ("smtp_from", "public_url"):
            if getattr(settings, name) is None:
                yield f"{variable(name)} is missing; without it no e-mail with a link can be sent."
    if settings.clock == "virtual" and settings.clock_start is None:
        yield f"{variable('clock_start')} is missing; a virtual clock needs its first instant."


def unfit_for_production(settings: Settings) -> Iterator[str]:
    """What is made for one machine or for a simulation only."""
    if settings.local_issuer_key_file is not None:
        yield f"{variable('local_issuer_key_file')} is set; in production only the county's sign-in service issues tokens."
    if settings.jwks_url is None:
        yield f"{variable('jwks_url')} is missing; without the issuer's public keys no token can be checked."
    elif not is_safe_way(settings.jwks_url):
        yield f"{variable('jwks_url')} must begin with https://, or anybody on the way could put in keys of their own."
    for name, url in settings.peers.items():
        if not is_safe_way(url):
            yield f"{variable('peers')}: the address of {name} must begin with https://, or anybody on the way could read the token."
    if settings.peers and settings.service_tokens_dir is None:
        yield f"{variable('service_tokens_dir')} is missing; without tokens of its own the service cannot ask its peers for events."
    yield from _unfit_ways_out(settings)
    if "instance" not in settings.model_fields_set:
        yield f"{variable('instance')} is missing; two processes of one name would take each other's work away."
    if settings.issuer == LOCAL_ISSUER:
        yield f"{variable('issuer')} is missing; name the sign-in service whose tokens count."
    if settings.clock == "virtual":
        yield f"{variable('clock')} is virtual; in production time is the world's."
    if settings.log_is_volatile:
        yield f"{variable('log_is_volatile')} is true; in production the broker must keep its log."
    if settings.ids_seed is not None:
        yield f"{variable('ids_seed')} is set; ids that can be repeated can be guessed."


def unfit_for_pages(settings: Settings) -> Iterator[str]:
    """What a service with pages has to know in production, so that people can sign in to it."""
    if settings.discovery_url is None and not is_safe_way(settings.issuer):
        yield (
            f"{variable('issuer')} must be the https:// address of the county's sign-in service, or {variable('discovery_url')} "
            f"must say where it describes itself; without it nobody could sign in to the pages of {settings.service}."
        )
    if settings.public_url is None:
        yield f"{variable('public_url')} is missing; the sign-in service could not lead people back to the pages of {settings.service}."


def _unfit_ways_out(settings: Settings) -> Iterator[str]:
    if settings.discovery_url is not None and not is_safe_way(settings.discovery_url):
        yield f"{variable('discovery_url')} must begin with https://, or anybody on the way could sign people in elsewhere."
    for name, urls in settings.watched.items():
        if not all(map(is_safe_way, urls)):
            yield f"{variable('watched')}: each address of {name} must begin with https://, or anybody on the way could read the token."
    if settings.smtp_host not in (None, "localhost", "127.0.0.1", "::1") and settings.smtp_security == "none":
        yield f"{variable('smtp_security')} is none; anybody on the way to the mail server could read links and password."
    if settings.public_url is not None and not is_safe_way(settings.public_url):
        yield f"{variable('public_url')} must begin with https://, or anybody on the way could answer in a partner's name."


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def is_safe_way(url: str) -> bool:
    """https, or a sidecar on the same machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")


def in_sentences(error: ValidationError) -> Iterator[str]:
    """What pydantic found, named by variable. Its messages tell the rule; `include_input` keeps values out."""
    for problem in error.errors(include_url=False, include_input=False):
        if problem["type"] == "default_factory_not_called":
            continue  # a default that follows from another setting, which is itself in this list
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, BadSettings):
            yield from cause.problems
        else:
            place = ".".join(str(part) for part in problem["loc"][1:])
            yield f"{variable(str(problem['loc'][0]))}{f' ({place})' if place else ''}: {problem['msg']}."
