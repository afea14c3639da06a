"""What decides how a count is changed: a secret and the set of those who are counted, and nothing else.

A secret belongs to a reference year and a vintage. All months and quarters of the year and the year itself share it, so one set of people
has one figure per vintage wherever it appears: to ask again in another table is to hear the same answer. The next vintage has another
secret, so that comparing two does not show who joined: with one secret for ever every change of a figure would be a change of the set.
"""

from __future__ import annotations

import hmac
from typing import Final

from services.reporting.disclosure.method import DRAW_BITS, Method
from services.reporting.sums import Sum

LARGEST_KEYS: Final = 2**63 - 1


def draw(secret: bytes, keys: int) -> int:
    """A whole number from 0 to 2^64 - 1, as good as random to whoever has not got the secret. `keys`: the sum of the records' keys."""
    return int.from_bytes(hmac.digest(secret, keys.to_bytes(8, "big", signed=True), "sha256")[: DRAW_BITS // 8])


def published(method: Method, secret: bytes, cell: Sum) -> int:
    """The figure that may be seen for a cell."""
    return method.perturbed(cell.n, draw(secret, cell.keys)) if cell.n else 0
