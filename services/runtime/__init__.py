"""What every service stands on. Contains no word of the domain: what a state, an event or a role means is told by the services."""

import sys

# If click, rich and pygments are there, httpx loads them for a command line of its own: 8 MB and a tenth of a second of every process.
# Told that they are not, it does without.
sys.modules.setdefault("httpx._main", None)  # pyright: ignore[reportArgumentType]
