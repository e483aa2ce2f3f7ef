"""Whether two clients of one channel are told the same: one by one, and render by render.

Decides by the payload texts alone, in the order of their arrival; never reads a socket.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

from bridge.wire.frame import Frame

Wire = Literal["ws", "sse"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One message at one client.

    Attributes:
        wire: whose.
        text: the payload.
        id: the event id; empty on a WebSocket, which has none.
    """

    wire: Wire
    text: str
    id: str = ""

    @property
    def title(self) -> str:
        """What it is, in two words: `render_progress 40`."""
        frame = _members(Frame(self.text).parse())
        content = _members(frame.get("object"))
        detail = content.get("progress", content.get("status", content.get("name", "")))
        return f"{frame.get('type', '?')} {detail}".rstrip()


@dataclass(frozen=True, slots=True)
class Pair:
    """The same place in both streams.

    Attributes:
        ws: what the WebSocket client got.
        sse: what the EventSource client got.
    """

    ws: Heard
    sse: Heard

    @property
    def same(self) -> bool:
        """Whether both are the same text."""
        return self.ws.text == self.sse.text


@dataclass(frozen=True, slots=True)
class Summary:
    """One render, as both clients saw it.

    Attributes:
        render: its number, counted by the clients.
        events: how many both got.
        differing: how many of them were not the same.
        gaps: how many holes the bridge told of.
    """

    render: int
    events: int
    differing: int
    gaps: int

    def __str__(self) -> str:
        verdict = f"{self.differing} DIFFERENT" if self.differing else "identical on both wires"
        told = f", gaps told: {self.gaps}" if self.gaps else ""
        return f"render {self.render}: {self.events} events, {verdict}{told}"


class Comparison:
    """Pairs what two clients get, from the first message on.

    Attributes:
        render: the number of the render that goes on, counted from 1.
        heard: how many pairs there were, over all renders.
        differing: how many of them were not the same.
        gaps: how many holes were told, over all renders.
        last: the payload of the newest pair, as the event stream brought it.
    """

    def __init__(self) -> None:
        self._waiting: dict[Wire, deque[Heard]] = {"ws": deque(), "sse": deque()}
        self._events = self._differing = self._gaps = 0
        self.render = 1
        self.heard = self.differing = self.gaps = 0
        self.last = ""

    @property
    def unpaired(self) -> int:
        """How many messages one of the two has and the other not yet."""
        return sum(map(len, self._waiting.values()))

    def take(self, heard: Heard) -> Pair | None:
        """Note a message; gives the pair that it completes."""
        self._waiting[heard.wire].append(heard)
        if not all(self._waiting.values()):
            return None
        pair = Pair(self._waiting["ws"].popleft(), self._waiting["sse"].popleft())
        self._events += 1
        self.heard += 1
        self.last = pair.sse.text
        self._differing += not pair.same
        self.differing += not pair.same
        return pair

    def gap(self) -> None:
        """Note a hole that the bridge told of."""
        self._gaps += 1
        self.gaps += 1

    def conclude(self, pair: Pair) -> Summary | None:
        """The summary of a render, where this pair is its last."""
        frame = _members(Frame(pair.sse.text).parse())
        over = _members(frame.get("object")).get("status") in ("completed", "error")
        if frame.get("type") != "task" or not over:
            return None
        summary = Summary(self.render, self._events, self._differing, self._gaps)
        self.render += 1
        self._events = self._differing = self._gaps = 0
        return summary


def _members(document: object) -> dict[str, Any]:
    return document if isinstance(document, dict) else {}
