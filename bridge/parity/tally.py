"""What was found so far, counted by place, with one example each and a timeline.

Decides nothing: whoever compares says what was found, whoever judges says what it means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bridge.parity.canonical import Value, text
from bridge.parity.finding import Example, Kind
from bridge.parity.rules import DROP

_SLICES = 128
_SHORTEST = 0.125
_MOST_LEAVES = 2000
_MOST_SIGNATURES = 2000
_LONGEST_VALUE = 500
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A sort of difference at one place of one type of message.

    Attributes:
        kind: what differs.
        message: the message's type.
        path: the JSON path; `$` for the whole message.
        kept: whether both values have the same shape.
        reason: what explains it, such as a lost connection; empty where nothing does.
        excused: which rule excuses it.
    """

    kind: Kind
    message: str
    path: str = "$"
    kept: bool = False
    reason: str = ""
    excused: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One difference that was found.

    Attributes:
        leaf: its sort.
        legacy: the legacy side's value there; `DROP` where it has none.
        candidate: the candidate's.
    """

    leaf: Leaf
    legacy: Value = DROP
    candidate: Value = DROP


@dataclass(slots=True)
class Entry:
    """All differences of one sort: how many, when, and the first of them."""

    channel: str
    example: Example
    legacy: str | None
    candidate: str | None
    count: int = 0
    first: float = float("inf")
    last: float = float("-inf")

    def note(self, at: float) -> None:
        """Count one more."""
        self.count += 1
        self.first, self.last = min(self.first, at), max(self.last, at)

    def merge(self, other: Entry) -> None:
        """Count those of another entry of the same sort as well."""
        self.count += other.count
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)


Signature = frozenset[Leaf]
"""All that differs about one pair or one single message."""

SAME: Signature = frozenset()


@dataclass(slots=True)
class Slice:
    """A stretch of time: pairs without a difference, those with some, and differences by sort."""

    same: int = 0
    differing: Counter[Signature] = field(default_factory=Counter)
    leaves: Counter[Leaf] = field(default_factory=Counter)

    def merge(self, other: Slice) -> None:
        """Take in another one."""
        self.same += other.same
        self.differing.update(other.differing)
        self.leaves.update(other.leaves)


class Timeline:
    """At most 128 slices of equal length, which doubles when they do not suffice."""

    def __init__(self) -> None:
        self.length = _SHORTEST
        self.slices: dict[int, Slice] = {}
        self._range: tuple[int, int] = (0, -1)

    def at(self, time: float) -> Slice:
        """The slice that a time lies in."""
        place = int(time // self.length)
        found = self.slices.get(place)
        if found is None:
            low, high = self._range if self.slices else (place, place)
            self._range = low, high = min(low, place), max(high, place)
            while high - low >= _SLICES:
                self._halve()
                low, high = self._range
                place = int(time // self.length)
            found = self.slices.setdefault(place, Slice())
        return found

    def _halve(self) -> None:
        self.length *= 2
        old, self.slices = self.slices, {}
        for place, each in old.items():
            self.slices.setdefault(place // 2, Slice()).merge(each)
        self._range = self._range[0] // 2, self._range[1] // 2

    def merge(self, other: Timeline) -> None:
        """Take in all of another one."""
        for place, each in other.slices.items():
            self.at(place * other.length).merge(each)


class Tally:
    """Counts of everything that was found between two sides."""

    def __init__(self) -> None:
        self.entries: dict[Leaf, Entry] = {}
        self.pairs: Counter[Signature] = Counter()
        self.singles: Counter[Signature] = Counter()
        self.exposed: Counter[str] = Counter()
        self.timeline = Timeline()

    def same(self, at: float) -> None:
        """A pair that differs in nothing."""
        self.pairs[SAME] += 1
        self.timeline.at(at).same += 1

    def pair(self, at: float, channel: str, found: Iterable[Found], example: Example) -> Signature:
        """A pair that differs."""
        return self._differs(at, self._note(at, channel, found, example))

    def single(self, at: float, channel: str, leaf: Leaf, example: Example) -> Signature:
        """A message without a twin."""
        signature = self._note(at, channel, [_whole(leaf, example)], example)
        self.singles[self._known(self.singles, signature)] += 1
        return signature

    def add(
        self, at: float, channel: str, leaf: Leaf, example: Example, old: Signature
    ) -> Signature:
        """One more difference of a pair that was counted as `old`."""
        self._forget(self.pairs, old)
        stretch = self.timeline.at(at)
        if old:
            self._forget(stretch.differing, old)
        else:
            stretch.same -= 1
        return self._differs(at, old | self._note(at, channel, [_whole(leaf, example)], example))

    def _differs(self, at: float, signature: Signature) -> Signature:
        """Count a pair; what it is counted as."""
        known = self._known(self.pairs, signature)
        self.pairs[known] += 1
        self.timeline.at(at).differing[known] += 1
        return known

    def revise(self, at: float, leaf: Leaf) -> bool:
        """Take back a single message, whose twin came after all; whether it was counted here."""
        signature = frozenset((leaf,))
        if not self.singles[signature]:
            return False
        self._forget(self.singles, signature)
        entry = self.entries[leaf]
        entry.count -= 1
        if not entry.count:
            del self.entries[leaf]
        self.timeline.at(at).leaves[leaf] -= 1
        return True

    def merge(self, other: Tally) -> None:
        """Count all that another tally holds as well."""
        for leaf, entry in other.entries.items():
            mine = self.entries.setdefault(leaf, entry)
            if mine is not entry:
                mine.merge(entry)
        for mine_counts, counts in (
            (self.pairs, other.pairs),
            (self.singles, other.singles),
        ):
            for signature, count in counts.items():
                mine_counts[self._known(mine_counts, signature)] += count
        self.exposed.update(other.exposed)
        self.timeline.merge(other.timeline)

    def keep(self, wanted: Callable[[Leaf], bool]) -> int:
        """Let go of single messages of all other sorts; how many those were."""
        for leaf in [leaf for leaf in self.entries if not wanted(leaf)]:
            del self.entries[leaf]
            for each in self.timeline.slices.values():
                del each.leaves[leaf]
        gone = [signature for signature in self.singles if not signature <= self.entries.keys()]
        return sum(self.singles.pop(signature) for signature in gone)

    def _note(self, at: float, channel: str, found: Iterable[Found], example: Example) -> Signature:
        leaves = []
        counts = self.timeline.at(at).leaves
        for each in found:
            leaf = self._bounded(each.leaf)
            entry = self.entries.get(leaf)
            if entry is None:
                entry = Entry(channel, example, _text(each.legacy), _text(each.candidate))
                self.entries[leaf] = entry
            entry.note(at)
            counts[leaf] += 1
            leaves.append(leaf)
        return frozenset(leaves)

    def _bounded(self, leaf: Leaf) -> Leaf:
        """The leaf itself; one for the whole message where there are too many to tell apart."""
        if leaf in self.entries or len(self.entries) < _MOST_LEAVES:
            return leaf
        return Leaf(leaf.kind, "", "$", leaf.kept, "", leaf.excused)

    def _known(self, counts: Counter[Signature], signature: Signature) -> Signature:
        """The signature itself; the one leaf of it that says most where there are too many.

        That is the one seen least: noise makes so many signatures, and it is what is seen often.
        """
        if signature in counts or len(counts) < _MOST_SIGNATURES:
            return signature
        return frozenset((min(signature, key=self._rank),)) if signature else signature

    def _rank(self, leaf: Leaf) -> tuple[bool, int, str]:
        entry = self.entries.get(leaf)
        return leaf.excused is not None, entry.count if entry else 0, repr(leaf)

    @staticmethod
    def _forget(counts: Counter[Signature], signature: Signature) -> None:
        counts[signature] -= 1
        if counts[signature] <= 0:
            del counts[signature]

    def by_kind(self) -> Mapping[Kind, int]:
        """How many differences of each kind there are."""
        counts: Counter[Kind] = Counter()
        for leaf, entry in self.entries.items():
            counts[leaf.kind] += entry.count
        return counts

    def slices(self) -> Iterator[tuple[float, Slice]]:
        """The timeline with the time that each slice begins at, gaps left out."""
        line = self.timeline
        for place in sorted(line.slices):
            yield place * line.length, line.slices[place]


def _whole(leaf: Leaf, example: Example) -> Found:
    legacy, candidate = (
        DROP if seen is None else seen.data for seen in (example.legacy, example.candidate)
    )
    return Found(leaf, _Raw(legacy), _Raw(candidate))


@dataclass(frozen=True, slots=True)
class _Raw:
    """A payload that is shown as it came."""

    data: Value


def _text(value: Value) -> str | None:
    if isinstance(value, _Raw):
        value = value.data
        if isinstance(value, bytes):
            return f"{len(value)} bytes of binary"
        written = value if isinstance(value, str) else None
    else:
        written = None if value is DROP else text(value)
    if written is None or len(written) <= _LONGEST_VALUE:
        return written
    return written[:_LONGEST_VALUE] + _ELLIPSIS
