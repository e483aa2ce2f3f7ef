"""Whose address a connection has: what counts as one client, and who is a trusted proxy.

Decides by the text of addresses alone; never looks a name up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network

_LONGEST = 45  # an IPv6 address with an IPv4 one at its end; anything longer is no address
_SITE = 64
_MAPPED = 96


def networks(written: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks as networks.

    Raises:
        ValueError: one is neither, or has bits beyond its own length.
    """
    found = []
    for each in written:
        try:
            found.append(ip_network(each))
        except ValueError as fault:
            raise ValueError(f"trusted_proxies holds no address or network: {fault}") from None
    return tuple(found)


def within(host: str, trusted: Sequence[Network]) -> bool:
    """Whether an address is in one of these; an IPv4 address that IPv6 carries is itself."""
    address = _parsed(host)
    return address is not None and any(address in network for network in trusted)


@lru_cache(maxsize=4096)
def party(host: str) -> str:
    """What counts as one client: an IPv4 address, the /64 of an IPv6 one; else the text, cut."""
    address = _parsed(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> _SITE << _SITE, _SITE)))
    return str(address) if address else host[:_LONGEST]


def written_both_ways(trusted: Sequence[str]) -> list[str]:
    """The networks as text, IPv4 ones also as a listener for IPv6 sees them (RFC 4291, 2.5.5.2)."""
    found = networks(trusted)
    mapped = [
        f"::ffff:{each.network_address}/{each.prefixlen + _MAPPED}"
        for each in found
        if isinstance(each, IPv4Network)
    ]
    return [*map(str, found), *mapped]


def _parsed(host: str) -> IPv4Address | IPv6Address | None:
    if len(host) > _LONGEST:
        return None
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
