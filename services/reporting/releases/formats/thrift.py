"""The compact protocol of Thrift, as far as a Parquet file is described in it. Values know their type; all of this gives bytes.

Source: thrift/doc/specs/thrift-compact-protocol.md of Apache Thrift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
_SHORT: int = 15


class Value(NamedTuple):
    """A value as it is written, with the number of its type."""

    type: int
    written: bytes


def varint(number: int) -> bytes:
    """A number of 0 or more: seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def i32(number: int) -> Value:
    return Value(_I32, varint(_zigzag(number)))


def i64(number: int) -> Value:
    return Value(_I64, varint(_zigzag(number)))


def text(words: str) -> Value:
    raw = words.encode()
    return Value(_BINARY, varint(len(raw)) + raw)


def listed(items: Iterable[Value]) -> Value:
    """A list; its items are of one type, and there is at least one."""
    known = list(items)
    size, type = len(known), known[0].type
    head = bytes([size << 4 | type]) if size < _SHORT else bytes([0xF0 | type]) + varint(size)
    return Value(_LIST, head + b"".join(item.written for item in known))


def struct(fields: Mapping[int, Value]) -> Value:
    """A structure: its fields by their numbers, which rise."""
    written, before = bytearray(), 0
    for number, value in fields.items():
        written.append(number - before << 4 | value.type)
        written += value.written
        before = number
    return Value(_STRUCT, bytes([*written, 0]))


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1
