"""``python -m deploy.renewing``: keeps the tokens fresh with which a service asks its peers for events, one file a county.

Asks the county's sign-in service for each (client credentials, RFC 6749 section 4.4) and writes them to ``WEGENETZ_SERVICE_TOKENS_DIR``,
each whole or not at all. Runs beside its service; where the sign-in service is away, the tokens that are there stay, and it tries again.

    RENEW_TOKEN_URL      the token endpoint
    RENEW_SECRETS_DIR    a folder with one file a county, named by its key (`03459`): the secret of the client `wegenetz-<service>-<county>`
    RENEW_EVERY_SECONDS  120, less than half of what a token is good for
    WEGENETZ_SERVICE, WEGENETZ_COUNTIES, WEGENETZ_SERVICE_TOKENS_DIR    as for the service
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx


def renew(environment: Mapping[str, str], client: httpx.Client) -> list[str]:
    """Fetch and write every county's token. Gives a sentence for each that could not be had; none holds a secret."""
    problems: list[str] = []
    folder = Path(environment["WEGENETZ_SERVICE_TOKENS_DIR"])
    secrets = Path(environment["RENEW_SECRETS_DIR"])
    counties: list[str] = json.loads(environment["WEGENETZ_COUNTIES"])
    for county in counties:
        name = f"wegenetz-{environment['WEGENETZ_SERVICE']}-{county}"
        try:
            secret = (secrets / county).read_text(encoding="ascii").strip()
            answer = client.post(
                environment["RENEW_TOKEN_URL"],
                data={"grant_type": "client_credentials", "client_id": name, "client_secret": secret},
            )
            answer.raise_for_status()
            token = str(answer.json()["access_token"])
            _write(folder / county, token)
        except httpx.HTTPStatusError as error:
            problems.append(f"The sign-in service refuses the client {name}: status {error.response.status_code}.")
        except (httpx.HTTPError, KeyError, ValueError) as error:
            problems.append(
                f"No token for the client {name}: the sign-in service does not answer as it should ({type(error).__name__})."
            )
        except OSError as error:
            problems.append(f"No token for the client {name}: {error.filename}: {error.strerror}.")
    return problems


def _write(file: Path, token: str) -> None:
    draft = file.with_name(f".{file.name}")
    draft.write_text(token, encoding="ascii")
    draft.chmod(0o600)
    draft.replace(file)


def main() -> None:
    every = float(os.environ.get("RENEW_EVERY_SECONDS", "120"))
    with httpx.Client(timeout=10) as client:
        while True:
            problems = renew(os.environ, client)
            for problem in problems:
                print(problem, file=sys.stderr, flush=True)
            time.sleep(min(every, 10.0) if problems else every)


if __name__ == "__main__":
    main()
