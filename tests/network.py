"""Which addresses a test may connect to: this machine's own, and the bridges of a container engine on it."""

import ipaddress
import sys

ALLOWED = tuple(
    ipaddress.ip_network(network)
    for network in ("127.0.0.0/8", "::1/128", "172.16.0.0/12", "192.168.0.0/16")  # loopback; Docker's bridges
)


class OutsideConnectionError(Exception):
    """A test tried to leave the machine. No `OSError`, so that code which retries those cannot hide it."""


def allowed(host: str) -> bool:
    """Whether a test may connect to `host`, an address or a name."""
    if host in {"localhost", ""}:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in ALLOWED)


def forbid_outside_connections() -> None:
    """Raise `OutsideConnectionError` from now on in this process for any other socket connection."""

    def check(event: str, arguments: tuple[object, ...]) -> None:
        if event not in {"socket.connect", "socket.sendto"}:
            return
        address = arguments[1]
        if isinstance(address, tuple) and not allowed(str(address[0])):
            raise OutsideConnectionError(f"a test may only reach this machine, not {address[0]!r}")

    sys.addaudithook(check)
