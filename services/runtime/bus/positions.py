"""Where somebody stands in the log."""

from __future__ import annotations

Positions = dict[str, dict[int, int]]
"""For each topic and partition the offset after the last one that is done with."""
