"""A rolling digest of everything a side said, whatever the order: 100 % of it, in O(1) each.

Decides whether two multisets of messages are the same; says nothing about how they differ. Sums
of hashes modulo 2^128 can be added, taken back and merged across processes (Clarke et al.,
"Incremental Multiset Hash Functions", ASIACRYPT 2003, MSet-Add-Hash).
"""

from __future__ import annotations

from hashlib import blake2b

_MODULUS = 1 << 128
_HEX_DIGITS = 32


def weight(data: str | bytes, key: bytes = b"") -> int:
    """The hash of one message, as a number below 2^128; text and binary never share one.

    Args:
        data: the payload.
        key: at most 64 bytes; with a secret one nobody can craft two multisets that agree.
    """
    if isinstance(data, str):
        raw = data.encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(raw, digest_size=16, key=key, person=b"text").digest(), "big")
    return int.from_bytes(blake2b(data, digest_size=16, key=key, person=b"binary").digest(), "big")


class Multiset:
    """The digest of a multiset of messages.

    Args:
        key: as in `weight`; digests of different keys never agree.
    """

    __slots__ = ("_key", "_sum", "count")

    def __init__(self, key: bytes = b"") -> None:
        self._key = key
        self._sum = 0
        self.count = 0

    def add(self, data: str | bytes) -> None:
        """Take one message in."""
        self._sum = (self._sum + weight(data, self._key)) % _MODULUS
        self.count += 1

    def remove(self, data: str | bytes) -> None:
        """Take one message out that was taken in before."""
        self._sum = (self._sum - weight(data, self._key)) % _MODULUS
        self.count -= 1

    def merge(self, other: Multiset) -> None:
        """Take in all that another one holds, as from another process."""
        self._sum = (self._sum + other._sum) % _MODULUS
        self.count += other.count

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Multiset)
            and self.count == other.count
            and self._sum == other._sum
            and self._key == other._key
        )

    # It changes, so it cannot be hashed.
    __hash__ = None  # type: ignore[assignment]

    def hex(self) -> str:
        """The digest as 32 hex digits."""
        return f"{self._sum:0{_HEX_DIGITS}x}"
