"""`ws2sse tap`: watch one stream, with the time and size of all that arrives.

Decides when to stop, when to connect again and what the exit status is: 0 where the stream, the
user or a limit ended it, 1 where it could not be read.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from random import random
from typing import Annotated
from urllib.parse import urlsplit

import anyio
import typer

from bridge.cli.arrivals import Arrival, Remark
from bridge.cli.durations import Duration
from bridge.cli.streams import Target
from bridge.ops.secrets import Mask, secrets_in
from bridge.seams import Lost, Opened
from bridge.upstream.backoff import Backoff, ReconnectOptions
from bridge.wire import endings

_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([^\r\n\0]*)")
_BROKEN = frozenset({endings.ABNORMAL, endings.TOO_BIG, endings.PROTOCOL_ERROR})

Url = Annotated[
    str, typer.Argument(metavar="URL", help="ws:// or wss://, or http:// or https:// for SSE.")
]
Headers = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="'NAME: VALUE'", help="Send this; may be repeated."),
]
LastEventId = Annotated[
    str, typer.Option("--last-event-id", metavar="ID", help="Continue after this event.")
]
Count = Annotated[
    int | None, typer.Option("--count", metavar="N", min=1, help="Stop after N events.")
]
Frames = Annotated[
    list[str] | None,
    typer.Option("--send", metavar="TEXT", help="WebSocket: send this once open; repeatable."),
]
Reconnect = Annotated[
    bool, typer.Option("--reconnect", help="Connect again, after the last id, when it ends.")
]
Full = Annotated[bool, typer.Option("--full", help="Do not cut lines to the terminal's width.")]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object a line: at, size, id, event, data.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="SSE: also show ids and retry times without an event.")
]


def tap(
    url: Url,
    *,
    headers: Headers = None,
    last_event_id: LastEventId = "",
    count: Count = None,
    seconds: Duration = None,
    frames: Frames = None,
    reconnect: Reconnect = False,
    full: Full = False,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Print a stream's events: seconds since the start, bytes, id, event and data.

    Ends with the stream, after --count or --for, or on Ctrl-C; a summary goes to stderr. The
    status is 0, or 1 where the stream cannot be read.
    """
    _check_url(url, frames)
    if not last_event_id.isprintable():
        raise typer.BadParameter("is one printable line", param_hint="--last-event-id")
    sent = dict(map(_parse_header, headers or ()))
    start = time.monotonic()
    watch = Watch(
        Target(url, sent, frames or (), lambda: time.monotonic() - start),
        Printer(_width(full=full), json=json, verbose=verbose),
        Mask(secrets_in({"headers": sent, "url": url})),
        last_event_id=last_event_id,
        count=count,
        reconnect=reconnect,
    )
    with suppress(KeyboardInterrupt):  # the usual way to stop
        anyio.run(watch.run, seconds)
    return watch.conclude()


@dataclass(frozen=True, slots=True)
class Printer:
    """Writes what arrives to stdout, at once.

    Attributes:
        width: columns to cut lines to, None to leave them whole.
        json: objects instead of columns.
        verbose: remarks, too.
    """

    width: int | None
    json: bool
    verbose: bool

    def show(self, sight: Arrival | Remark) -> None:
        """Write one line."""
        if isinstance(sight, Arrival) or self.verbose:
            print(sight.json().decode() if self.json else sight.line(self.width), flush=True)


@dataclass(slots=True)
class Watch:
    """One run of the command.

    Attributes:
        target: what to look at.
        printer: where it goes.
        mask: hides the credentials that were given.
        last_event_id: where to continue; moves on as events arrive.
        count: how many events to see, None for all.
        reconnect: whether to connect again.
        events: how many arrived.
        size: their bytes.
        opened: whether any connection was accepted.
        lost: how the last connection ended, None while it is open.
    """

    target: Target
    printer: Printer
    mask: Mask
    last_event_id: str
    count: int | None
    reconnect: bool
    events: int = 0
    size: int = 0
    opened: bool = False
    lost: Lost | None = None
    _backoff: Backoff = field(default_factory=lambda: Backoff(ReconnectOptions()))

    async def run(self, seconds: float | None) -> None:
        """Watch until the end, or for so many seconds."""
        with anyio.move_on_after(seconds) as limit:
            while await self._once() and self.lost:
                delay = self._backoff.next(self.lost.retry, random())  # noqa: S311 - jitter
                self._tell(f"{self.lost.reason}; connecting again in {delay:.1f} s")
                self.lost = None
                await anyio.sleep(delay)
        if limit.cancelled_caught and not self.opened:
            self.lost = Lost(endings.TIMEOUT, f"no answer within {seconds:g} s")

    def conclude(self) -> int:
        """Say what was seen, on stderr; gives the exit status."""
        if self.lost and not self.opened:
            self._tell(self.lost.reason)
            return 0 if self.lost.ending == endings.COMPLETE else 1
        ended = f"; {self.lost.reason}" if self.lost else ""
        seen = f"{_counted(self.events, 'event')}, {_counted(self.size, 'byte')}"
        self._tell(f"{seen} in {self.target.clock():.3f} s{ended}")
        return 1 if self.lost and self.lost.ending in _BROKEN else 0

    async def _once(self) -> bool:
        """Look until the connection ends; whether to connect again."""
        events, began = self.events, self.target.clock()
        opened = False
        async with aclosing(self.target.look(self.last_event_id)) as sights:  # type: ignore[type-var]
            async for sight in sights:
                match sight:
                    case Opened():
                        opened = self.opened = True
                    case Lost():
                        self.lost = sight
                    case _ if not self._take(sight):
                        return False
        if opened:
            lived = self.target.clock() - began
            self._backoff.closed(delivered=self.events > events, lived=lived)
        return self.reconnect and self.lost is not None and self.lost.ending.reconnect

    def _take(self, sight: Arrival | Remark) -> bool:
        """Show one; False once there were enough."""
        self.printer.show(sight)
        if isinstance(sight, Remark):
            self.last_event_id = sight.value if sight.field == "id" else self.last_event_id
            return True
        self.last_event_id = sight.id or self.last_event_id
        self.events += 1
        self.size += sight.size
        return self.events != self.count

    def _tell(self, text: str) -> None:
        url = self.mask(self.target.url)
        print(f"ws2sse: {url}: {self.mask(text)}", file=sys.stderr, flush=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _check_url(url: str, frames: list[str] | None) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"ws", "wss", "http", "https"} and parts.hostname
    except ValueError:
        usable = None
    if not usable:
        raise typer.BadParameter(
            "must be a full URL beginning with ws://, wss://, http:// or https://", param_hint="URL"
        )
    if frames and not parts.scheme.startswith("ws"):
        raise typer.BadParameter(
            "only a WebSocket can be sent frames; use a ws:// URL", param_hint="--send"
        )


def _parse_header(text: str) -> tuple[str, str]:
    match = _HEADER.fullmatch(text)
    if not match:
        raise typer.BadParameter("write 'Name: value'", param_hint="--header")
    return match[1], match[2].strip()


def _width(*, full: bool) -> int | None:
    """The columns of the terminal; files and pipes get whole lines unless COLUMNS is set."""
    if full or not (sys.stdout.isatty() or os.environ.get("COLUMNS")):
        return None
    return shutil.get_terminal_size().columns
