"""A backend that can be killed at any moment and forgets nothing, for it holds nothing.

usage: python -m benchmarks.soak.backend PORT EPOCH RATE SIZE

`GET /events/CHANNEL` is an event stream. Event N of every channel is due N / RATE seconds after
EPOCH (of the machine's monotonic clock) and follows from N alone; so whatever process serves the
port replays after any `Last-Event-ID`, however long ago that was.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_AFTER = re.compile(rb"last-event-id: *([0-9]+)", re.IGNORECASE)


class Clockwork:
    """All channels' events.

    Args:
        epoch: when event 0 was due, in seconds of the monotonic clock.
        rate: events a second.
        size: of a payload, in bytes.
    """

    def __init__(self, epoch: float, rate: float, size: int) -> None:
        self._epoch, self._rate, self._padding = epoch, rate, b"x" * max(0, size - 50)

    def top(self, now: float) -> int:
        """The last event that is due."""
        return max(0, int((now - self._epoch) * self._rate))

    def due(self, number: int) -> float:
        """When an event is due."""
        return self._epoch + number / self._rate

    def chunk(self, number: int, now: float) -> bytes:
        """An event as an HTTP chunk; `t` is when it was written, in nanoseconds."""
        payload = b'{"n":%d,"t":%d,"pad":"%b"}' % (number, now * 1e9, self._padding)
        text = b"id: %d\ndata: %b\n\n" % (number, payload)
        return b"%x\r\n%b\r\n" % (len(text), text)


async def _stream(
    events: Clockwork, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        request = await reader.readuntil(b"\r\n\r\n")
        after = _AFTER.search(request)
        last = int(after[1]) if after else events.top(time.monotonic())
        writer.write(_HEAD)
        while not writer.is_closing():
            await asyncio.sleep(max(0.0, events.due(last + 1) - time.monotonic()))
            now = time.monotonic()
            top = max(last + 1, events.top(now))
            writer.write(b"".join(events.chunk(each, now) for each in range(last + 1, top + 1)))
            last = top
            await writer.drain()
    writer.close()


async def _main(port: int, events: Clockwork) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: _stream(events, reader, writer), "127.0.0.1", port
    )
    await server.serve_forever()


def main(arguments: Sequence[str]) -> int:
    """Serve until killed."""
    port, epoch, rate, size = arguments
    asyncio.run(_main(int(port), Clockwork(float(epoch), float(rate), int(size))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
