"""The header that a proxy writes before everything else: the PROXY protocol, versions 1 and 2.

Decides what its bytes mean; never who may send it. By HAProxy's specification, "The PROXY
protocol": version 1 is one line of text (section 2.1), version 2 a fixed head, addresses and
extensions, which are passed over (2.2). Who must send it and does not is refused, not guessed at.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

_LONGEST_LINE = 107
_HEAD = 16
_LONGEST_REST = 4096  # of addresses and extensions; real ones are a tenth of that
_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?"
    rb"|(TCP4|TCP6) ([0-9A-Fa-f:.]+) [0-9A-Fa-f:.]+ ([0-9]{1,5}) [0-9]{1,5})"
)
_ADDRESS_BYTES = {1: 4, 2: 16}  # AF_INET, AF_INET6

Source = tuple[str, int]
"""A client's address and port."""


def read(data: bytes) -> tuple[int, Source | None] | None:
    """How long the header is, and whose connection it says this is: None for the proxy's own.

    None altogether while the header is not complete.

    Raises:
        ValueError: this is no such header.
    """
    if data.startswith(SIGNATURE):
        return _version_2(data)
    if SIGNATURE.startswith(data) or b"PROXY ".startswith(data[:6]):
        return _version_1(data) if data.startswith(b"P") else None
    raise ValueError("no PROXY header")


def _version_1(data: bytes) -> tuple[int, Source | None] | None:
    end = data.find(b"\r\n", 0, _LONGEST_LINE)
    if end < 0:
        if len(data) >= _LONGEST_LINE:
            raise ValueError("a PROXY line is too long")
        return None
    match = _LINE.fullmatch(data[:end])
    if match is None:
        raise ValueError("a PROXY line is malformed")
    if match[1] is None:
        return end + 2, None
    address = ip_address(match[2].decode())
    if (address.version == 6) is not (match[1] == b"TCP6"):
        raise ValueError("a PROXY line names an address of another family")
    return end + 2, (str(address), int(match[3]))


def _version_2(data: bytes) -> tuple[int, Source | None] | None:
    if len(data) < _HEAD:
        return None
    version, command, family = data[12] >> 4, data[12] & 15, data[13] >> 4
    length = int.from_bytes(data[14:_HEAD])
    if version != 2 or command > 1 or length > _LONGEST_REST:
        raise ValueError("a PROXY header is malformed")
    if len(data) < _HEAD + length:
        return None
    return _HEAD + length, _source(data[_HEAD : _HEAD + length], family) if command else None


def _source(rest: bytes, family: int) -> Source | None:
    """The source, where it is an Internet address; sockets of the machine have none."""
    size = _ADDRESS_BYTES.get(family)
    if size is None:
        return None
    if len(rest) < 2 * size + 4:
        raise ValueError("a PROXY header is malformed")
    return str(ip_address(rest[:size])), int.from_bytes(rest[2 * size : 2 * size + 2])
