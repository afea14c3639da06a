"""The two kinds of errors, and how each is answered.

`Permanent`: the message is wrong. It becomes a dead letter with the reason; trying again cannot help.
`Transient`: the world is. It is tried again with growing pauses, and then the process stops consuming and says so.
`Refused`: a command that the rules do not allow now. The caller is told why; nothing is written.
`Conflict`: somebody else changed one of the loaded states. The unit of work is decided again from fresh state.
"""

from __future__ import annotations

from collections.abc import Mapping


class Permanent(Exception):
    """The message cannot ever be applied. `reason` is a stable code, `detail` names the place, never a value."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class ForeignSubject(Permanent):
    """The id of a state that would be new here belongs to another county. Whose, nobody is told."""

    def __init__(self) -> None:
        super().__init__("foreign-subject")


class Transient(Exception):
    """`what` (the database, the broker) cannot be worked with at the moment. As text it is a clause: "the database does not answer"."""

    def __init__(self, what: str, why: str = "does not answer") -> None:
        super().__init__(f"the {what} {why}")
        self.what = what

    @property
    def clause(self) -> str:
        """To begin a sentence with."""
        text = str(self)
        return text[0].upper() + text[1:]


class Conflict(Exception):
    """A state was changed, or a unique name taken, since it was loaded."""


class NameTaken(Conflict):
    """A unique index refused a write. Decided again from fresh state, the message may find another name, or that the thing exists."""


class Refused(Exception):
    """A rule says no. `code` is a message of the service's catalogue, `params` fill its sentence (never personal data).

    `members` stand beside the sentences in the answer, for programs: ids and numbers (RFC 9457 section 3.2).
    """

    def __init__(
        self, code: str, status: int = 409, *, members: Mapping[str, object] | None = None, **params: object
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.members: Mapping[str, object] = members or {}
        self.params: Mapping[str, object] = params
