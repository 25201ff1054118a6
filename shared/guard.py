"""Which addresses outgoing requests may reach: public ones, and private ones where an operator named the network."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from shared.settings import Network

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]

_PORTS = {"http": 80, "https": 443}
# Judged by what is allowed: `is_private` lets carrier-grade NAT, NAT64, 6to4, old site-local and multicast pass.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them: an address inside an address
        "2001:db8::/32",
        "2002::/16",  # 6to4: a v4 address inside
        "3fff::/20",
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)


class TargetRefusedError(Exception):
    """The target must not be reached. The message says why, without repeating the target."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `path` has the query with it."""

    scheme: str
    host: str
    port: int
    path: str


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses that `host` has now."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_url(url: str, allowed: Sequence[Network], look_up: Resolve = resolve) -> None:
    """Raise `TargetRefusedError` unless `url` is one that requests may go to."""
    judged_addresses(read_url(url), allowed, look_up)


def read_url(url: str) -> Target:
    """Take `url` apart; raise `TargetRefusedError` when it is none that a request can be made to."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise TargetRefusedError(f"is not a URL: {error}") from None
    if parts.scheme not in _PORTS:
        raise TargetRefusedError("must be an http:// or https:// URL")
    if not parts.hostname:
        raise TargetRefusedError("names no host")
    if parts.username is not None or parts.password is not None:
        raise TargetRefusedError("must not hold a user name or password")
    if not (url.isascii() and url.isprintable()) or " " in url:
        # Requests are ASCII: a name beyond it has its xn-- form, a path its percent-encoding.
        raise TargetRefusedError("must not hold spaces, control characters or characters beyond ASCII")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port, path)


def judged_addresses(
    target: Target, allowed: Sequence[Network], look_up: Resolve = resolve
) -> tuple[str, ...]:
    """Look the host up once. Connections go to the addresses that this returns, all of which may be reached."""
    try:
        addresses = tuple(look_up(target.host, target.port))
    except (OSError, UnicodeError):
        raise UnresolvedError("names a host that has no address") from None
    if not addresses:
        raise UnresolvedError("names a host that has no address")
    for address in addresses:
        if not may_reach(address, allowed):
            raise TargetRefusedError(
                "names a host that is not on the public internet; private, loopback and reserved addresses are refused "
                "unless TANDEM_WEBHOOK_ALLOW_NETWORKS names their network"
            )
    return addresses


class UnresolvedError(TargetRefusedError):
    """The host has no address at the moment; it may have one later."""


def may_reach(text: str, allowed: Sequence[Network]) -> bool:
    """Whether a connection to this address may be made."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    judged: Address = inner or address
    if any(judged.version == network.version and judged in network for network in allowed):
        return True
    if any(judged.version == network.version and judged in network for network in _NOT_PUBLIC):
        return False
    if isinstance(judged, ipaddress.IPv6Address) and judged not in _PUBLIC_V6:
        return False
    return judged.is_global and not judged.is_multicast
