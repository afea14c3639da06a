"""Errors that a person caused or can mend. Their text is all that is shown: whole sentences, no traceback."""

from __future__ import annotations


class CannotDo(RuntimeError):
    """What was asked for cannot be done as things are."""


class NotUnderstood(RuntimeError):
    """What was asked for makes no sense as it was written: an unknown name, a wrong setting."""
