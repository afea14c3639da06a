"""Every line that the runtime can log: its code and its constant text.

The table in docs/architecture/telemetry.md says of each what an operator does; a test compares the two. A service with lines of its
own adds them with `document`, in the file that logs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LINES: Final[dict[str, str]] = {
    # the process
    "service.starting": "The service starts.",
    "service.ready": "The service is ready.",
    "service.stopping": "The service finishes its running work and stops.",
    "service.stopped": "The service has stopped.",
    "service.failed": "The service cannot go on and stops.",
    "process.crashed": "The process ends because of an error that nobody handled.",
    "process.unraisable": "An error happened where Python cannot raise it.",
    "thread.crashed": "A thread ended because of an error that nobody handled.",
    "task.failed": "A background task ended because of an error.",
    # consuming
    "bus.waiting": "Consumption waits for the database, the broker or its group, and tries again.",
    "bus.resumed": "Consumption goes on.",
    "bus.stopped": "Consumption waited for too long and stops.",
    "record.dead": "A record can never be applied and became a dead letter.",
    "dead-letters.limit": "Too many records became dead letters; consumption stops.",
    "dead-letters.replayed": "Dead letters were sent into the service again.",
    "dead-letters.discarded": "A dead letter was discarded.",
    "history.fetched": "Missing events were fetched from their owner.",
    "history.failed": "Missing events could not be fetched from their owner.",
    "history.none": "Missing events did not come from their owner.",
    # deciding and writing
    "settle.failed": "A rule failed on a message.",
    "deadlines.failed": "Deadlines could not be handled; they are tried again.",
    # sending
    "outbox.lease-lost": "Another process sends the service's events now.",
    "outbox.waiting": "Events cannot be sent; they wait in the database.",
    "outbox.resumed": "Events are sent again.",
    "outbox.refilled": "The history was sent again.",
    # telling partners outside
    "notices.waiting": "Notices wait to be sent, and are tried again.",
    "webhook.disabled": "A webhook was switched off, because its endpoint is gone or has been silent for days.",
    # doors
    "request.failed": "A request failed because of an error of ours.",
    "keys.unavailable": "The public keys of the issuer of tokens could not be fetched.",
    "sign-in.failed": "Somebody came back from the sign-in service and was not signed in.",
    "sign-in.unavailable": "The sign-in service did not answer as it should.",
    "clock.moved": "The virtual clock was moved.",
    # watching
    "telemetry.export-failed": "Spans could not be exported; they are dropped until it works again.",
    "telemetry.spans-dropped": "Spans were dropped since the start.",
    "library.line": "A library reports.",
    "log.undocumented": "A line without documentation was logged; its content is withheld.",
}


def document(lines: Mapping[str, str]) -> None:
    """Add a service's own lines. Texts are constants: whole sentences without any value in them."""
    LINES.update(lines)
