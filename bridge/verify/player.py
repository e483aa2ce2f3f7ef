"""Plays a recording into the tracks of both wires, at the pace of the recording or another.

Decides which side a wire plays, when each message is due and which faults befall it; never opens
a socket.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream

from bridge.errors import NotARecording
from bridge.parity.observation import Mark, Observation, Side, Wire
from bridge.parity.recording import Transcript
from bridge.verify.faults import Cut, Fault, FaultPlan, Faults, Message, Send
from bridge.verify.files import header_of, sights
from bridge.verify.track import AHEAD, Track

_LOOKED_AT = 10_000
_OWN: dict[Wire, Side] = {"ws": Side.LEGACY, "sse": Side.CANDIDATE}


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How a recording is played.

    Attributes:
        speed: how many times faster than it was recorded; `inf` for as fast as clients read.
        side: play this side on both wires; None plays each wire's own side, where it has one.
        faults: what to put in.
        faulty: which wires the faults befall.
        seed: of the dice; the same seed puts the same faults into the same recording.
    """

    speed: float = 1.0
    side: Side | None = None
    faults: tuple[FaultPlan, ...] = ()
    faulty: frozenset[Wire] = frozenset({"ws", "sse"})
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError("speed must be more than 0; 2 is twice as fast, max as fast as can be")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a recording holds, as its header says or, without one, its first lines show.

    Attributes:
        channels: their names.
        sides: whose messages.
        began: when, in seconds since the epoch; None where it does not say.
    """

    channels: frozenset[str]
    sides: frozenset[Side]
    began: float | None = None

    @classmethod
    def of(cls, path: Path) -> Contents:
        """Look into a file.

        Raises:
            NotARecording: it cannot be read, or is something else.
        """
        header = header_of(path)
        known = {side.value: side for side in Side}
        sides = frozenset(known[name] for name in header.sides if name in known)
        if sides and header.channels:
            return cls(frozenset(header.channels), sides, header.began)
        first = list(islice(sights(path, Transcript(path.name)), _LOOKED_AT))
        return cls(
            frozenset(header.channels) or frozenset(each.channel for each in first),
            frozenset(each.side for each in first),
            header.began,
        )


@dataclass(slots=True)
class Played:
    """What was played so far.

    Attributes:
        messages: how many, by wire, before any fault.
        faults: how many were put in, by wire and kind.
        notes: trouble with the file, once it was read to its end.
    """

    messages: Counter[Wire] = field(default_factory=Counter)
    faults: dict[Wire, Counter[Fault]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Player:
    """One recording and its tracks.

    Args:
        path: the recording.
        options: how it is played.

    Attributes:
        contents: what the recording holds.
        played: how far it is.

    Raises:
        NotARecording: the file cannot be read, is something else, or holds nothing.
    """

    def __init__(self, path: Path, options: PlayOptions) -> None:
        self._path, self._options = path, options
        self.contents = Contents.of(path)
        if not self.contents.channels:
            raise NotARecording(f"{path}: holds no messages, so there is nothing to play")
        self.played = Played()
        self._tracks: defaultdict[tuple[Wire, str], Track] = defaultdict(Track)
        self._is_over = False

    def track(self, wire: Wire, channel: str) -> Track | None:
        """What a client of this channel follows; None where the recording has no such channel."""
        return self._tracks[wire, channel] if channel in self.contents.channels else None

    async def play(self) -> None:
        """Play from the first message to the last, then end every track."""
        both: list[Wire] = ["ws", "sse"]
        async with anyio.create_task_group() as tasks:
            lines: dict[Wire, ObjectSendStream[Observation]] = {}
            for wire in both:
                lines[wire], receiving = anyio.create_memory_object_stream[Observation](AHEAD)
                tasks.start_soon(self._say, wire, receiving)
            await self._read(lines)
            for line in lines.values():
                await line.aclose()
        for wire in both:
            for channel in self.contents.channels:
                self._tracks[wire, channel].end()

    async def _read(self, lines: dict[Wire, ObjectSendStream[Observation]]) -> None:
        """Hand each message to the wires that play its side, when it is due."""
        sides = {wire: self._side(wire) for wire in lines}
        transcript, began, first = Transcript(self._path.name), anyio.current_time(), None
        for seen in sights(self._path, transcript):
            if isinstance(seen, Mark) or seen.side not in sides.values():
                continue
            first = seen.at if first is None else first
            if self._options.speed < math.inf:
                await anyio.sleep_until(began + (seen.at - first) / self._options.speed)
            for wire, line in lines.items():
                if sides[wire] is seen.side:
                    await line.send(seen)
        self.played.notes = transcript.notes()

    def _side(self, wire: Wire) -> Side:
        if self._options.side:
            return self._options.side
        sides = self.contents.sides
        return _OWN[wire] if _OWN[wire] in sides else next(iter(sorted(sides)), _OWN[wire])

    async def _say(self, wire: Wire, line: ObjectReceiveStream[Observation]) -> None:
        """Put a wire's messages into its tracks, with the faults that befall them."""
        plans: Sequence[FaultPlan] = self._options.faults if wire in self._options.faulty else ()
        dice = random.Random(f"{self._options.seed} {wire}")  # noqa: S311 - to be repeatable
        faults: defaultdict[str, Faults] = defaultdict(lambda: Faults(plans, dice.random))
        counts = self.played.faults[wire] = Counter()
        async with line:
            async for seen in line:
                self.played.messages[wire] += 1
                mine, track = faults[seen.channel], self._tracks[wire, seen.channel]
                before = mine.counts.copy()
                await _perform(mine.take(_message(seen, wire)), track)
                counts.update(mine.counts - before)
        for channel, mine in faults.items():
            await _perform(mine.flush(), self._tracks[wire, channel])


def _message(seen: Observation, wire: Wire) -> Message:
    """What a wire says of what was recorded: only SSE has names and ids."""
    if wire == "ws" or seen.wire == "ws":
        return Message(seen.data)
    return Message(seen.data, seen.type, seen.id)


async def _perform(steps: Iterator[Send | Cut], track: Track) -> None:
    for step in steps:
        if isinstance(step, Cut):
            track.cut()
            continue
        if step.after:
            await anyio.sleep(step.after)
        await track.append(step.message)
