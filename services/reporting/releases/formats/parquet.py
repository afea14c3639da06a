"""Apache Parquet: the tidy figures once more, by columns and with types, as data frames and warehouses read them.

One row group, one page a column, each with a dictionary of its values (Parquet format 2.10, encodings `RLE_DICTIONARY` and `PLAIN`, not
compressed: a figure takes some 13 bytes). The columns are those of the CSV; what is empty there is null here. The file says in its own
metadata of which release it is and under which licence.
"""

from __future__ import annotations

import struct as binary
from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple

from services.reporting.releases.content import Content
from services.reporting.releases.formats import thrift
from services.reporting.releases.formats.described import DESCRIBED, LICENCE
from services.reporting.releases.formats.plain import COLUMNS, rows
from services.reporting.releases.formats.thrift import Value, i32, i64, listed, struct, text

PARQUET_FILE: Final = "figures.parquet"

_MAGIC: Final = b"PAR1"
_INT32, _BYTE_ARRAY = 1, 6  # Type
_REQUIRED, _OPTIONAL = 0, 1  # FieldRepetitionType
_UTF8: Final = 0  # ConvertedType
_PLAIN, _RLE, _RLE_DICTIONARY = 0, 3, 8  # Encoding
_DATA_PAGE, _DICTIONARY_PAGE = 0, 2  # PageType
_UNCOMPRESSED: Final = 0  # CompressionCodec
_OCTET: Final = 8
"""Whatever is packed in bits comes in groups of eight."""


class _Column(NamedTuple):
    name: str
    values: Sequence[str | int | None]

    @property
    def is_number(self) -> bool:
        return DESCRIBED[self.name].type == "integer"

    @property
    def is_optional(self) -> bool:
        return not DESCRIBED[self.name].required


def parquet(content: Content) -> bytes:
    """All figures of a release, in the order of the CSV."""
    by_row = list(rows(content))
    columns = [_Column(name, [row[place] for row in by_row]) for place, name in enumerate(COLUMNS)]
    written = bytearray(_MAGIC)
    chunks: list[Value] = []
    sizes = 0
    for column in columns:
        begins = len(written)
        dictionary, page = _pages(column)
        written += dictionary + page
        sizes += len(dictionary) + len(page)
        chunks.append(_chunk(column, begins, begins + len(dictionary), len(dictionary) + len(page)))
    about = {"release": content.name, "county": content.county, "vintage": content.vintage, "license": LICENCE["path"]}
    footer = struct(
        {
            1: i32(1),
            2: listed([struct({4: text("figures"), 5: i32(len(columns))}), *map(_element, columns)]),
            3: i64(len(by_row)),
            4: listed([struct({1: listed(chunks), 2: i64(sizes), 3: i64(len(by_row)), 6: i64(sizes)})]),
            5: listed([struct({1: text(key), 2: text(value)}) for key, value in about.items()]),
            6: text("Wegenetz"),
        }
    ).written
    return bytes(written) + footer + binary.pack("<I", len(footer)) + _MAGIC


def _element(column: _Column) -> Value:
    """The column in the schema (SchemaElement)."""
    repeated = i32(_OPTIONAL if column.is_optional else _REQUIRED)
    if column.is_number:
        return struct({1: i32(_INT32), 3: repeated, 4: text(column.name)})
    a_string = struct({1: struct({})})  # LogicalType: STRING
    return struct({1: i32(_BYTE_ARRAY), 3: repeated, 4: text(column.name), 6: i32(_UTF8), 10: a_string})


def _chunk(column: _Column, begins: int, data: int, size: int) -> Value:
    """Where the column's bytes are, and how many (ColumnChunk)."""
    nulls = sum(value is None for value in column.values)
    described = struct(
        {
            1: i32(_INT32 if column.is_number else _BYTE_ARRAY),
            2: listed([i32(_PLAIN), i32(_RLE), i32(_RLE_DICTIONARY)]),
            3: listed([text(column.name)]),
            4: i32(_UNCOMPRESSED),
            5: i64(len(column.values)),
            6: i64(size),
            7: i64(size),
            9: i64(data),
            11: i64(begins),
            12: struct({3: i64(nulls)}),
        }
    )
    return struct({2: i64(begins), 3: described})


def _pages(column: _Column) -> tuple[bytes, bytes]:
    """The page of the dictionary, and that of the values as places in it."""
    known = [value for value in column.values if value is not None]
    places = {value: place for place, value in enumerate(dict.fromkeys(known))}
    plain = b"".join(map(_plain, places))
    dictionary = _page(_DICTIONARY_PAGE, plain, 7, {1: i32(len(places)), 2: i32(_PLAIN)})
    there = _presence(column.values) if column.is_optional else b""
    told = {1: i32(len(column.values)), 2: i32(_RLE_DICTIONARY), 3: i32(_RLE), 4: i32(_RLE)}
    return dictionary, _page(_DATA_PAGE, there + _packed([places[value] for value in known], len(places)), 5, told)


def _page(type: int, body: bytes, field: int, told: dict[int, Value]) -> bytes:
    return struct({1: i32(type), 2: i32(len(body)), 3: i32(len(body)), field: struct(told)}).written + body


def _plain(value: str | int) -> bytes:
    if isinstance(value, int):
        return binary.pack("<i", value)
    raw = value.encode()
    return binary.pack("<I", len(raw)) + raw


def _presence(values: Sequence[str | int | None]) -> bytes:
    """Which values are there: definition levels of one bit, the first one lowest."""
    groups = -(-len(values) // _OCTET)
    bits = "".join("0" if value is None else "1" for value in reversed(values))
    run = thrift.varint(groups << 1 | 1) + int(bits or "0", 2).to_bytes(groups, "little")
    return binary.pack("<I", len(run)) + run


def _packed(places: Sequence[int], of: int) -> bytes:
    """Places in a dictionary of so many, in whole bytes each: bit packing whose bits need no shifting."""
    kind, width = ("B", 8) if of <= 1 << 8 else ("H", 16) if of <= 1 << 16 else ("I", 32)
    groups = -(-len(places) // _OCTET)
    packed = array(kind, [*places, *[0] * (groups * _OCTET - len(places))])
    if binary.pack("=H", 1) != binary.pack("<H", 1):
        packed.byteswap()
    return bytes([width]) + thrift.varint(groups << 1 | 1) + packed.tobytes()
