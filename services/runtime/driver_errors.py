"""The driver's errors, turned into ours in one place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WriteError,
)

from services.runtime.errors import Conflict, NameTaken, Transient

_WRITE_CONFLICT: Final = 112
_DUPLICATE_KEY: Final = 11000

DRIVER: Final = PyMongoError
"""The base of whatever the driver raises."""

UNWRITABLE: Final = (DocumentTooLarge, BSONError, WriteError, BulkWriteError, OverflowError, UnicodeError)
"""What the driver and the database raise for a document that they do not take: too large, not to be encoded, not as declared."""


@asynccontextmanager
async def translated() -> AsyncGenerator[None]:
    """Turn the driver's errors into ours. What is neither a conflict nor an absence passes through unchanged."""
    try:
        yield
    except (ConnectionFailure, ConfigurationError) as error:
        raise Transient("database") from error
    except DuplicateKeyError as error:
        raise NameTaken(_taken(error.details)) from error
    except BulkWriteError as error:
        entries = (error.details or {}).get("writeErrors", ())
        codes = {entry.get("code") for entry in entries}
        if _WRITE_CONFLICT in codes or error.has_error_label("TransientTransactionError"):
            raise Conflict("write conflict") from error
        if codes == {_DUPLICATE_KEY}:
            raise NameTaken(_taken(entries[0])) from error
        raise
    except OperationFailure as error:
        if error.code == _WRITE_CONFLICT or error.has_error_label("TransientTransactionError"):
            raise Conflict("write conflict") from error
        if error.has_error_label("RetryableWriteError") or error.has_error_label("UnknownTransactionCommitResult"):
            raise Transient("database") from error
        raise


def _taken(entry: Mapping[str, Any] | None) -> str:
    """The fields of the index that refused a write; never their values."""
    return ", ".join((entry or {}).get("keyPattern", ()))
