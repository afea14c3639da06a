"""An uploaded file on its way: on disk, so that memory stays flat, and never readable there.

A file's encoding is only known when all of it has come (docs/architecture/import-format.md), so it lies in a temporary file without a name
until it has been read. What lies there is encrypted (AES-256-CTR) with a key that exists in this process's memory alone: a disk that
is lost, or a process that dies, leaves nothing behind.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import os
import re
import tempfile
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UTF_8_MARK: Final = codecs.BOM_UTF8
_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NOT_WINDOWS_1252: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_BUFFER_BYTES: Final = 64 * 1024


class UnreadableEncoding(ValueError):
    """Neither UTF-8 nor Windows-1252."""


class Spool:
    """Takes a file's bytes as they come, then gives them back as text. Used as a context manager, which removes the file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `__exit__`
        self._cipher = Cipher(AES(os.urandom(32)), CTR(os.urandom(16)))
        self._encryptor = self._cipher.encryptor()
        self._sha256 = hashlib.sha256()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._start = b""
        self._is_utf_8 = True
        self._is_windows_1252 = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, part: bytes) -> None:
        """Take the next part of the file."""
        if len(self._start) < 4:
            self._start = (self._start + part[:4])[:4]
        self._sha256.update(part)
        if b"\0" in part:
            self._is_utf_8 = self._is_windows_1252 = False  # UTF-16 without a mark, or no text at all
        if self._is_utf_8:
            self._is_utf_8 = self._decodes(part)
        if self._is_windows_1252 and _NOT_WINDOWS_1252.search(part):
            self._is_windows_1252 = False
        self._file.write(self._encryptor.update(part))

    def _decodes(self, part: bytes, *, last: bool = False) -> bool:
        try:
            self._decoder.decode(part, last)
        except UnicodeDecodeError:
            return False
        return True

    def digest(self) -> bytes:
        """The SHA-256 of everything that came."""
        return self._sha256.digest()

    def text(self) -> io.TextIOWrapper:
        """Everything that came, from the beginning, without a byte order mark. Lines end at line feeds. Raises `UnreadableEncoding`."""
        encoding = self._encoding()
        self._file.seek(0)
        raw = io.BufferedReader(_Deciphered(self._file, self._cipher.decryptor()), _BUFFER_BYTES)
        return io.TextIOWrapper(raw, encoding, newline="\n")

    def _encoding(self) -> str:
        if not self._start.startswith(_UTF_16_MARKS):
            if self._is_utf_8 and self._decodes(b"", last=True):
                return "utf-8-sig"
            if self._is_windows_1252 and not self._start.startswith(UTF_8_MARK):
                return "cp1252"
        raise UnreadableEncoding("neither UTF-8 nor Windows-1252")


class _Deciphered(io.RawIOBase):
    """The spooled file, deciphered while it is read from its beginning."""

    def __init__(self, file: io.RawIOBase, cipher: CipherContext) -> None:
        self._inner = file
        self._cipher = cipher

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        into = memoryview(buffer).cast("B")
        part = self._inner.read(len(into)) or b""
        into[: len(part)] = self._cipher.update(part)
        return len(part)
