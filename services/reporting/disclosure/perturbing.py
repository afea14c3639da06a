"""The method on a file of one's own, so that anyone can attack it. `wegenetz perturb FILE` prints the answer.

The file is a CSV (UTF-8, comma or semicolon) with a column `count`, a column `keys` (the sum of the keys of those who are counted: any
whole number, the same for the same set), and any others, which come back as they are. `count` and `keys` are left out of the answer, and a
column `figure` is added: what would be published.

Nothing hides parts in which everybody is (`told_by_neighbours`): the file says nothing of what is part of what.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Final

from services.reporting.disclosure.draws import LARGEST_KEYS, published
from services.reporting.disclosure.method import Method
from services.reporting.sums import Sum

COUNT: Final = "count"
KEYS: Final = "keys"
FIGURE: Final = "figure"

_WHOLE: Final = re.compile(r"[0-9]{1,19}")


class BadFile(ValueError):
    """No line of the file can be used. The text says why, and what to do."""


@dataclass(frozen=True)
class Perturbed:
    """`text`: the answer as CSV. `refused`: what is wrong with lines that are not in it, a sentence each."""

    text: str
    refused: tuple[str, ...]


def perturb(raw: bytes, secret: bytes, method: Method) -> Perturbed:
    """Change the counts of a file. A bad line is named and left out, the others are answered. Raises `BadFile`."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"The file is not UTF-8 (byte {error.start}). Please save it as CSV UTF-8.") from None
    separator = ";" if ";" in text.partition("\n")[0] else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    head = [column.strip() for column in next(lines, list[str]())]
    for needed in (COUNT, KEYS):
        if head.count(needed) != 1:
            raise BadFile(
                f"The first line needs exactly one column `{needed}`; it has: {', '.join(head) or 'nothing'}."
            )
    if FIGURE in head:
        raise BadFile(
            f"There is a column `{FIGURE}` already. Please call it otherwise: the answer has one of that name."
        )
    count, keys = head.index(COUNT), head.index(KEYS)
    kept = [place for place in range(len(head)) if place not in (count, keys)]
    answer = io.StringIO()
    out = csv.writer(answer, delimiter=separator, lineterminator="\n")
    out.writerow([*(head[place] for place in kept), FIGURE])
    refused: list[str] = []
    for line in lines:
        if not any(line):
            continue
        if wrong := _wrong(line, head, count, keys):
            refused.append(f"Line {lines.line_num}: {wrong}")
        else:
            figure = published(method, secret, Sum(int(line[count]), int(line[keys])))
            out.writerow([*(line[place] for place in kept), figure])
    return Perturbed(answer.getvalue(), tuple(refused))


def _wrong(line: list[str], head: list[str], count: int, keys: int) -> str:
    if len(line) != len(head):
        return f"{len(line)} values, where the first line has {len(head)}."
    for place in (count, keys):
        if not _WHOLE.fullmatch(line[place].strip()) or int(line[place]) > LARGEST_KEYS:
            return f"`{head[place]}` has to be a whole number from 0 to {LARGEST_KEYS}, without separators."
    return ""
