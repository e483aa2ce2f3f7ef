"""Loopback ports that stay one's own, also while nobody listens."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that servers inside the block may open, close and open again.

    A bound socket that never listens keeps the kernel from giving the number to anyone else, a
    reconnecting client included, which could otherwise connect to itself. Servers that set
    SO_REUSEADDR (asyncio's and nginx do) may listen on it all the same; without one, a
    connection is refused.
    """
    with socket.socket() as claim:
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        claim.bind(("127.0.0.1", 0))
        yield int(claim.getsockname()[1])
