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
    "bus.connected": "Connected to the broker.",
    "bus.assigned": "The broker assigned partitions.",
    "bus.waiting": "The world does not answer; the batch is tried again.",
    "bus.resumed": "The world answers again; consumption goes on.",
    "bus.stopped": "The world did not answer for too long; consumption stops.",
    "record.dead": "A record can never be applied and became a dead letter.",
    "record.parked": "A record came before its predecessor and waits for it.",
    "dead-letters.limit": "Too many records became dead letters; consumption stops.",
    "dead-letters.replayed": "Dead letters were sent into the service again.",
    "dead-letters.discarded": "A dead letter was discarded.",
    "history.fetched": "Missing events were fetched from their owner.",
    "history.failed": "Missing events could not be fetched from their owner.",
    # deciding and writing
    "settle.conflict": "Another writer was faster; a smaller slice is decided again.",
    "settle.failed": "A rule failed on a message.",
    "store.opened": "The database is open.",
    "deadlines.swept": "Deadlines that had come were handled.",
    "deadlines.failed": "Deadlines could not be handled; they are tried again.",
    # sending
    "outbox.lease-taken": "This instance sends the service's events now.",
    "outbox.lease-lost": "Another instance sends the service's events now.",
    "outbox.published": "Events were published.",
    "outbox.waiting": "The broker does not take events; they are sent again.",
    "outbox.resumed": "The broker takes events again.",
    "outbox.refilled": "The history was sent again.",
    # doors
    "request.failed": "A request failed because of an error of ours.",
    "command.failed": "A command failed because of an error of ours.",
    "keys.unavailable": "The public keys of the issuer of tokens could not be fetched.",
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
