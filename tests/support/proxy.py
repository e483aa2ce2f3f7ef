"""A TCP proxy whose connections a test may cut, as a cable or a restarted router would."""

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 256 * 1024


class CuttableProxy:
    """Passes bytes on, both ways, until a test cuts the connections.

    Args:
        target: `HOST:PORT`, or a URL of which only host and port count.

    Attributes:
        accepted: how many connections there ever were.
    """

    def __init__(self, target: str) -> None:
        place = urlsplit(target if "//" in target else f"//{target}")
        self._host, self._port = place.hostname or "", place.port or 80
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.accepted = 0

    @property
    def authority(self) -> str:
        """`127.0.0.1:PORT`."""
        return "{}:{}".format(*self._server.sockets[0].getsockname()[:2])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks)

    def cut(self) -> int:
        """Reset every connection, on both sides; gives how many clients that hit."""
        hit = len(self._open) // 2
        for writer in self._open:
            writer.transport.abort()
        return hit

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self._open |= pair
        for source, drain in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(_pass_on(source, drain))
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._forget(done, pair))

    def _forget(self, task: asyncio.Task[None], pair: set[asyncio.StreamWriter]) -> None:
        self._tasks.discard(task)
        self._open -= pair


async def _pass_on(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(_CHUNK):
            drain.write(chunk)
            await drain.drain()
    drain.close()
