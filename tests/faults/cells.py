"""The cells of the fault matrix: all combinations, and why some of them cannot be.

Pure; `tests.faults.bench` plays them out.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from tests.faults import places
from tests.faults.places import Place
from tests.faults.proxy import Kind
from tests.support.ways import Wire


class Link(StrEnum):
    """Which connection a fault befalls."""

    BACKEND = "backend link"
    CLIENT = "client link"


class Memory(StrEnum):
    """What the backend's ids and memory can prove."""

    REPLAY = "replay"
    NUMBERED = "numbered"
    BARE = "bare"


class Audience(StrEnum):
    """The client."""

    SSE = "sse"
    WS = "ws"
    LEGACY = "legacy"


class Where(StrEnum):
    """The place of a fault."""

    BEFORE_HEADERS = "before headers"
    AFTER_HEADERS = "after headers"
    INSIDE_EVENT = "inside an event"
    INSIDE_UTF8 = "inside UTF-8"
    CR_LF = "between CR and LF"
    FRAME_HEADER = "inside a frame header"
    REPLAY = "during replay"
    DRAIN = "during drain"


KINDS = (Kind.CUT, Kind.RESET, Kind.STALL, Kind.DELAY, Kind.SPLIT, Kind.REPEAT)
MENDING = frozenset({Kind.DELAY, Kind.SPLIT})
"""Faults after which the connection goes on."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What many cells have in common, so that they share one bridge.

    Attributes:
        link: what is disturbed.
        source: the backend's wire.
        memory: the backend's.
        fast: whether clients' connections are taken over.
    """

    link: Link
    source: Wire
    memory: Memory
    fast: bool

    def __str__(self) -> str:
        way = "taken" if self.fast else "stepped"
        return f"{self.link}, {self.source} {self.memory}, {way}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination.

    Attributes:
        setting: what it shares with others.
        audience: the client.
        kind: the fault.
        where: its place.
    """

    setting: Setting
    audience: Audience
    kind: Kind
    where: Where

    def __str__(self) -> str:
        return f"{self.setting}, to {self.audience}: {self.kind} {self.where}"

    @property
    def on_return(self) -> bool:
        """Whether the fault befalls the second connection, while it opens or catches up."""
        opening = {Where.BEFORE_HEADERS, Where.AFTER_HEADERS, Where.REPLAY}
        # the only line ends on a WebSocket are those of its handshake
        return self.where in opening or (self.where is Where.CR_LF and self._wire == "ws")

    @property
    def place(self) -> Place:
        """Where in the bytes towards the bridge or the client."""
        if self.where is Where.CR_LF and self._wire == "ws":
            return places.before_last_line_feed
        if self.where is Where.DRAIN and self.setting.link is Link.CLIENT:
            if self.audience is Audience.LEGACY:
                return places.at_pattern(b"restarts", 3)  # the reason in the close frame
            return places.at_pattern(b"bridge.end", 4)
        return _PLACES[self.where]

    @property
    def _wire(self) -> Wire:
        if self.setting.link is Link.BACKEND:
            return self.setting.source
        return "sse" if self.audience is Audience.SSE else "ws"

    def impossible(self) -> str:
        """Why this cell cannot be; empty where it can."""
        backend = self.setting.link is Link.BACKEND
        if backend and self.where is Where.REPLAY and self.setting.memory is not Memory.REPLAY:
            return "a backend without memory replays nothing"
        if not backend and self.where is Where.REPLAY and self.audience is Audience.LEGACY:
            return "a client without a cursor is replayed nothing"
        if self.kind is not Kind.REPEAT:
            return ""
        if backend and self.setting.memory is Memory.BARE:
            return "an event without an id cannot be told from one that says the same"
        if backend and self.where is Where.DRAIN:
            return "a draining bridge asks no backend again, and the next one has heard nothing"
        if not backend and self.where is not Where.BEFORE_HEADERS:
            return "what can be repeated to the bridge is the request, before it is answered"
        return ""


_PLACES: dict[Where, Place] = {
    Where.BEFORE_HEADERS: places.at_offset(0),
    Where.AFTER_HEADERS: places.after_headers,
    Where.INSIDE_EVENT: places.at_pattern(places.MARK, 3),
    Where.INSIDE_UTF8: places.at_pattern(places.LETTER, 1),
    Where.CR_LF: places.after_carriage_return,
    Where.FRAME_HEADER: places.inside_header,
    Where.REPLAY: places.at_pattern(places.MARK, 3),
    Where.DRAIN: places.at_pattern(places.MARK, 3),
}

SOURCES: tuple[Wire, ...] = ("ws", "sse")


def settings() -> list[Setting]:
    """All of them: backends of every memory, and both ways of serving clients."""
    backend = [Setting(Link.BACKEND, *each, fast=True) for each in product(SOURCES, Memory)]
    client = [
        Setting(Link.CLIENT, source, Memory.REPLAY, fast=fast)
        for source, fast in product(SOURCES, (True, False))
    ]
    return backend + client


def cells(setting: Setting) -> Iterator[Cell]:
    """All cells of a setting, impossible ones too."""
    for audience, kind, where in product(Audience, KINDS, Where):
        yield Cell(setting, audience, kind, where)


def possible(setting: Setting) -> list[Cell]:
    """Those that can be played out."""
    return [cell for cell in cells(setting) if not cell.impossible()]


def reasons(of: Sequence[Setting]) -> Counter[str]:
    """Why cells are left out, and how many for each reason."""
    left = (cell.impossible() for setting in of for cell in cells(setting))
    return Counter(filter(None, left))
