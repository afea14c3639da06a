"""Which broker the tests run on: the embedded one, or with ``BROKER=kafka`` (``make test-kafka``) Apache Kafka."""

from __future__ import annotations

import os
from typing import Final

BROKER: Final = os.environ.get("BROKER") or "embedded"
