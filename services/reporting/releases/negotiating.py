"""Which of several forms a caller wants (RFC 9110, section 12.5.1): by the `Accept` header, as far as it helps."""

from __future__ import annotations

from collections.abc import Sequence


def wanted(accept: str | None, offered: Sequence[str]) -> str:
    """The media type of `offered` that is asked for most; the first one of them if several are, or none."""
    weights = dict(_ranges(accept or "*/*"))
    return max(offered, key=lambda one: _weight(one, weights))


def _weight(media_type: str, weights: dict[str, float]) -> float:
    """The most specific range counts."""
    kind = media_type.partition("/")[0]
    found = (weights[one] for one in (media_type, f"{kind}/*", "*/*") if one in weights)
    return next(found, 0.0)


def _ranges(accept: str) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for part in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            found.append((media_type, float(weight)))
        except ValueError:
            found.append((media_type, 0.0))  # what cannot be read is not asked for
    return found
