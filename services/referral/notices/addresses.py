"""To which addresses a webhook may go: public ones, unless the settings allow others.

Somebody who registers an endpoint chooses where this process connects to; so the name is resolved here, every address that it has is
looked at, and the connection goes to one of those, whatever the name means a moment later (DNS rebinding). Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses behind a translator (RFC 6052)."""


LONGEST_URL: Final = 2000
"""What everything between here and there is known to take."""


class AddressForbidden(Exception):
    """The endpoint's address is none to which this process may connect. `code` is a sentence of the catalogue."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect to, and what to say there."""

    scheme: str
    host: str
    address: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """With the address in place of the name."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{address}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        usual = {"http": 80, "https": 443}[self.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"


def is_public(text: str) -> bool:
    """Whether an address is one of the open internet; also when an IPv4 address stands within an IPv6 one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        within = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if within is None and address in _TRANSLATED:
            within = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if within is not None:
            return is_public(str(within))
        if address.is_site_local:  # fec0::/10, which `is_global` lets pass
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def resolved(host: str, port: int) -> Sequence[str]:
    """All addresses of a name. Raises OSError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError("no name is written like this") from None
    return [str(entry[4][0]) for entry in found]


def checked_url(url: str, *, private: bool) -> tuple[str, str, int, str]:
    """Scheme, host, port and path. Raises `AddressForbidden`."""
    if len(url) > LONGEST_URL or not (url.isascii() and url.isprintable()):
        raise AddressForbidden("webhook-url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressForbidden("webhook-url") from None
    if parts.scheme not in ("https", "http") or not host or parts.username or parts.fragment:
        raise AddressForbidden("webhook-url")
    if parts.scheme == "http" and not private:
        raise AddressForbidden("webhook-not-https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path


async def place_of(url: str, *, private: bool, resolve: Resolve = resolved) -> Place:
    """Where a webhook with this URL goes now. Raises `AddressForbidden`, or OSError when the name has no address."""
    scheme, host, port, path = checked_url(url, private=private)
    addresses = await resolve(host, port)
    if not addresses:
        raise OSError("the name has no address")
    if not private and not all(map(is_public, addresses)):
        raise AddressForbidden("webhook-private-address")
    return Place(scheme, host, addresses[0], port, path)
