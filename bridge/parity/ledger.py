"""The account of one comparison: what a pair, a message without twin, or a late twin counts as.

Decides how differences become sorts of findings, which rules excuse them, and whether a noisy
value kept its shape. Never finds a pair.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.parity import spelling
from bridge.parity.canonical import Opaque
from bridge.parity.clocks import Clocks
from bridge.parity.finding import Example, Kind
from bridge.parity.item import Item
from bridge.parity.lag import Lags
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.shape import Shapes, segments
from bridge.parity.tally import Found, Leaf, Tally
from bridge.parity.walk import Difference

_FEWEST = 8
_OTHERWISE = "escapes, or the spelling of numbers"

LEFT, RIGHT = 0, 1
"""The legacy side, and whoever is compared with it."""


def facing(side: int, item: Item, twin: Item) -> tuple[Item, Item]:
    """A message of a side and one of the other side, the legacy side's first."""
    return (item, twin) if side == LEFT else (twin, item)


class Ledger:
    """Writes down what the comparison of two sides finds, over all channels.

    Args:
        options: which differences are an excuse, and how late is late.
        reader: reads messages.
        shapes: judges values of noisy places.
        late: after how many seconds a twin is late.
        typed: whether to count messages by type, as judging noise needs.
    """

    def __init__(
        self,
        options: CompareOptions,
        reader: Reader,
        shapes: Shapes,
        late: float,
        *,
        typed: bool = False,
    ) -> None:
        self._options, self._reader, self.late = options, reader, late
        self.shapes, self.typed = shapes, typed
        self.tally = Tally()
        self.lags, self.clocks = Lags(), Clocks()
        self.two_clocks = options.clocks == "two"
        self.trusts_silence = not self.two_clocks
        """Whether what the right side does not say by the common clock is missing."""
        self.outside = self.repeated = 0

    @property
    def offset(self) -> float:
        """By how much the clock of the right side is ahead, in seconds."""
        return self.clocks.estimate if self.two_clocks else 0.0

    def time(self, side: int, at: float) -> float:
        """A time of one side by the legacy side's clock."""
        return at - self.offset if side == RIGHT else at

    def is_late(self, left: Item, right: Item) -> bool:
        """Whether the right side said the same too late; unknown until two clocks are set."""
        if self.two_clocks and self.clocks.count < _FEWEST:
            return False
        return right.seen.at - left.seen.at - self.offset > self.late

    def same(self, left: Item, right: Item) -> None:
        """Twins to the byte, in time."""
        at = left.seen.at
        self._measure(at, right.seen.at)
        self.tally.same(at)
        if self.typed:
            self.tally.exposed[self._reader.message(left).type] += 1

    def pair(self, channel: str, left: Item, right: Item) -> None:
        """Twins that may differ, or be late."""
        found = self._differences(left, right)
        if self.is_late(left, right):
            kind = self._reader.message(left).type
            found.append(Found(Leaf(Kind.LATE, kind), Opaque(_clock(left)), Opaque(_clock(right))))
        if not found:
            self.same(left, right)
            return
        self._measure(left.seen.at, right.seen.at)
        if self.typed:
            self.tally.exposed[self._reader.message(left).type] += 1
        example = Example(left.seen, right.seen)
        left.signature = self.tally.pair(left.seen.at, channel, found, example)

    def moved(self, channel: str, left: Item, right: Item) -> None:
        """Twins that left their place in the order."""
        leaf = Leaf(Kind.REORDERED, self._reader.message(left).type)
        example = Example(left.seen, right.seen)
        left.signature = self.tally.add(left.seen.at, channel, leaf, example, left.signature)

    def single(
        self, tally: Tally, channel: str, side: int, item: Item, kind: Kind, reason: str = ""
    ) -> None:
        """A message without twin, counted in a tally that may be confirmed later."""
        message = self._reader.message(item).type
        excused = f"in a hole: {reason}" if reason and self._is_excused(side) else None
        leaf = item.leaf = Leaf(kind, message, reason=reason, excused=excused)
        example = Example(item.seen) if side == LEFT else Example(None, item.seen)
        tally.single(self.time(side, item.seen.at), channel, leaf, example)
        if self.typed and side == LEFT:
            self.tally.exposed[message] += 1

    def revise(self, side: int, item: Item, unconfirmed: Tally) -> None:
        """A message that was counted as a single one has its twin after all."""
        if item.leaf is None:
            if item.repeated:
                self.repeated -= 1
            else:
                self.outside -= 1
            return
        at = self.time(side, item.seen.at)
        if not unconfirmed.revise(at, item.leaf):
            self.tally.revise(at, item.leaf)

    def _is_excused(self, side: int) -> bool:
        # What the legacy side could not say proves nothing against the candidate.
        return side == RIGHT or self._options.excuse_holes

    def _measure(self, left: float, right: float) -> None:
        self.lags.add(right - left)
        if self.two_clocks:
            self.clocks.add(left, right)

    def _differences(self, left: Item, right: Item) -> list[Found]:
        one, other = left.seen, right.seen
        if one.data == other.data and one.type == other.type:
            return []
        message = self._reader.message(left).type
        found = [self._found(message, each) for each in self._reader.differences(left, right)]
        if one.data != other.data:
            found.extend(self._spelled(message, left, right, known=not found))
        return found

    def _spelled(self, message: str, left: Item, right: Item, *, known: bool) -> Iterator[Found]:
        """How the texts differ; that they do is `known` where nothing else differs."""
        values = (self._reader.message(item).value for item in (left, right))
        one, other = left.seen.data, right.seen.data
        reason = spelling.difference(one, other, *values) or (_OTHERWISE if known else "")
        if reason:
            excused = "equal as JSON" if self._options.encoding == "excuse" else None
            leaf = Leaf(Kind.ENCODING, message, reason=reason, excused=excused)
            yield Found(leaf, Opaque(one), Opaque(other))

    def _found(self, message: str, each: Difference) -> Found:
        excused = self._reader.rules.excuse(message, each.path, each.legacy, each.candidate)
        kept = each.kind is Kind.ALTERED and self.shapes.kept(
            message, each.path, each.legacy, each.candidate
        )
        part = segments(each.legacy, each.candidate) if kept else ""
        leaf = Leaf(each.kind, message, each.path, kept, part, excused)
        return Found(leaf, each.legacy, each.candidate)


def _clock(item: Item) -> str:
    return f"{item.seen.at:.3f} s"
