"""The comparison of two backends, message by message: a fold from sights to a report.

Decides which side a sight belongs to, and what of all that was found is noise. What a second tap
on the legacy backend shows is compared in the same way; what differs there differs by nature.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bridge.parity.envelope import EnvelopeRules
from bridge.parity.finding import Finding, Kind
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.noise import Noise
from bridge.parity.observation import Observation, Side, Sight
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.report import Evidence, Lag, Moment, Report
from bridge.parity.shape import Shapes
from bridge.parity.streams import Streams
from bridge.parity.tally import Entry, Leaf, Signature, Tally
from bridge.parity.verdict import judge
from bridge.parity.volatile import Volatile

_LONGEST_LAG = 0.999
_RECENT = 4096


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts for a live table.

    Attributes:
        legacy: messages of the legacy side.
        candidate: messages of the candidate.
        control: messages of the second legacy tap.
        pairs: twins found, whether they differ or not.
        same: twins that differ in nothing.
        waiting: messages whose twin may still come.
        outside: messages before the first common one.
        repeated: allowed repetitions after a reconnect.
        kinds: differences by kind, excused ones included.
        lag: how much later the candidate says the same.
        elapsed: seconds from the first sight to the last.
    """

    legacy: int
    candidate: int
    control: int
    pairs: int
    same: int
    waiting: int
    outside: int
    repeated: int
    kinds: Mapping[Kind, int]
    lag: Lag
    elapsed: float


class Comparison:
    """Compares what two backends say.

    Args:
        options: how to compare.
        noise: what was learned before about differences by nature.
        envelope: how messages are wrapped.
    """

    def __init__(
        self,
        options: CompareOptions | None = None,
        noise: Noise | None = None,
        envelope: EnvelopeRules | None = None,
    ) -> None:
        self._options = options or CompareOptions()
        self._noise = noise or Noise()
        self._envelope = envelope or EnvelopeRules()
        self._volatile = Volatile(self._noise.volatile)
        self._candidate = self._streams(typed=bool(self._noise))
        self._control: Streams | None = None
        self._recent: deque[Sight] = deque(maxlen=_RECENT)
        self._counts: Counter[Side] = Counter()
        self._first, self._last = float("inf"), float("-inf")
        self._unreadable = 0

    def _streams(self, *, typed: bool) -> Streams:
        window = max(self._options.window, self._noise.lag)
        reader = Reader(self._options, self._envelope, self._volatile)
        shapes = Shapes(self._options.skew, dict(self._noise.ranges))
        ledger = Ledger(self._options, reader, shapes, window, typed=typed)
        return Streams(self._options, reader, ledger, window)

    def take(self, sight: Sight) -> None:
        """Take in what one side showed, in the order of its arrival; sides interleave freely."""
        at = sight.at
        self._last = max(self._last, at)
        self._first = min(self._first, at)
        side = sight.side
        if isinstance(sight, Observation):
            self._counts[side] += 1
            if side is Side.CANDIDATE:
                self._candidate.take(RIGHT, sight)
            elif side is Side.LEGACY:
                self._candidate.take(LEFT, sight)
                if self._control is not None:
                    self._control.take(LEFT, sight)
                else:
                    self._remember(sight)
            else:
                self._second().take(RIGHT, sight)
            return
        if side is Side.LEGACY and self._control is None:
            self._remember(sight)
        for streams, place in self._places(side):
            streams.mark(place, sight)

    def _places(self, side: Side) -> Iterator[tuple[Streams, int]]:
        if side is Side.CONTROL:
            yield self._second(), RIGHT
            return
        yield self._candidate, LEFT if side is Side.LEGACY else RIGHT
        if side is Side.LEGACY and self._control is not None:
            yield self._control, LEFT

    def _remember(self, sight: Sight) -> None:
        """Keep what a second tap may be about to say again, though nobody knows of one yet."""
        recent, oldest = self._recent, sight.at - self._options.window
        while recent and recent[0].at < oldest:
            recent.popleft()
        recent.append(sight)

    def _second(self) -> Streams:
        """The comparison of both legacy taps, from the control's first sight on."""
        if self._control is None:
            self._control = self._streams(typed=True)
            # A second tap that falls silent is in trouble itself; nothing is noise for that.
            self._control.ledger.trusts_silence = False
            self._candidate.ledger.typed = True
            for sight in self._recent:
                if isinstance(sight, Observation):
                    self._control.take(LEFT, sight)
                else:
                    self._control.mark(LEFT, sight)
            self._recent.clear()
        return self._control

    def advance(self, now: float) -> None:
        """Time has passed, by the clock of the sights; needed where nothing arrives."""
        for streams in self._all():
            streams.advance(now)

    def close(self) -> None:
        """Nothing more comes: what is left is paired, and the edges are trimmed."""
        for streams in self._all():
            streams.close()

    def _all(self) -> tuple[Streams, ...]:
        return (self._candidate, self._control) if self._control else (self._candidate,)

    def unread(self, count: int = 1) -> None:
        """Lines of a recording could not be read."""
        self._unreadable += count

    def learned(self) -> Noise:
        """The noise that was given and what the second legacy tap showed by now."""
        if self._control is None:
            return self._noise
        ledger = self._control.ledger
        lag = max(
            abs(ledger.lags.quantile(share) - ledger.offset)
            for share in (_LONGEST_LAG, 1 - _LONGEST_LAG)
        )
        return self._noise.learned(ledger.tally, ledger.shapes.ranges(), lag)

    def statistics(self) -> Statistics:
        """Counts of what was seen by now; costs the same however much that is."""
        ledger, joins = self._candidate.ledger, self._candidate.joins
        return Statistics(
            self._counts[Side.LEGACY],
            self._counts[Side.CANDIDATE],
            self._counts[Side.CONTROL],
            ledger.lags.count,
            ledger.tally.pairs[frozenset()],
            sum(join.waiting for join in joins.values()),
            ledger.outside,
            ledger.repeated,
            ledger.tally.by_kind(),
            ledger.lags.snapshot(ledger.offset),
            max(0.0, self._last - self._first),
        )

    def report(self) -> Report:
        """The outcome as it stands; final after `close`."""
        tally = self._candidate.ledger.tally
        excuses = self._excuses(tally)
        evidence = self._evidence(tally, excuses)
        ledger = self._candidate.ledger
        found = sum(entry.count for leaf, entry in tally.entries.items() if leaf not in excuses)
        return Report(
            verdict=judge(evidence, self._options, self._candidate.tail, found),
            findings=_findings(tally, excuses),
            lag=ledger.lags.snapshot(ledger.offset),
            timeline=self._timeline(tally, excuses),
            channels=tuple(sorted(self._candidate.joins)),
            duration=max(0.0, self._last - self._first),
            notes=tuple(self._notes()),
        )

    def _excuses(self, tally: Tally) -> dict[Leaf, str]:
        """Why each sort of difference is no failure; those that are one are left out."""
        learned = self.learned()
        noise = learned.excused(tally, self._options.false_alarms) if learned else {}
        ruled = {leaf: leaf.excused for leaf in tally.entries if leaf.excused is not None}
        return noise | ruled

    def _evidence(self, tally: Tally, excuses: Mapping[Leaf, str]) -> Evidence:
        pairs, singles = (_split(counts, excuses) for counts in (tally.pairs, tally.singles))
        same = tally.pairs[frozenset()]
        return Evidence(
            legacy=self._counts[Side.LEGACY],
            candidate=self._counts[Side.CANDIDATE],
            matched=same + pairs[0],
            outside=self._candidate.ledger.outside,
            failed=pairs[1] + singles[1],
            excused=pairs[0] + singles[0],
            unreadable=self._unreadable,
        )

    def _timeline(self, tally: Tally, excuses: Mapping[Leaf, str]) -> tuple[Moment, ...]:
        start = self._first
        return tuple(
            Moment(
                max(0.0, at - start),
                each.same + _split(each.differing, excuses)[0],
                _kinds({leaf: n for leaf, n in each.leaves.items() if leaf not in excuses}),
            )
            for at, each in tally.slices()
        )

    def _notes(self) -> Iterator[str]:
        ledger = self._candidate.ledger
        if ledger.two_clocks and ledger.clocks.count:
            off = ledger.clocks.offset()
            yield (
                f"the candidate's clock is {off.seconds:+.3f} s off the legacy side's"
                f" (95 %: {off.low:+.3f} to {off.high:+.3f}), its drift {off.drift * 1e6:+.1f} ppm"
                f" ({off.drift_low * 1e6:+.1f} to {off.drift_high * 1e6:+.1f})"
            )
        if self._candidate.tail:
            yield f"{self._candidate.tail} messages came after the other side's last word"
        if ledger.repeated:
            yield f"{ledger.repeated} messages were repeated after a reconnect, which is allowed"


def _split(counts: Mapping[Signature, int], excuses: Mapping[Leaf, str]) -> tuple[int, int]:
    """How many of those that differ are excused altogether, and how many are not."""
    excused = failed = 0
    for signature, count in counts.items():
        if not signature:
            continue
        if all(leaf in excuses for leaf in signature):
            excused += count
        else:
            failed += count
    return excused, failed


def _kinds(leaves: Mapping[Leaf, int]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for leaf, count in leaves.items():
        if count > 0:
            counts[leaf.kind.value] += count
    return dict(counts)


def _findings(tally: Tally, excuses: Mapping[Leaf, str]) -> tuple[Finding, ...]:
    found = [_finding(leaf, entry, excuses.get(leaf)) for leaf, entry in tally.entries.items()]
    return tuple(sorted(found, key=lambda each: (each.excused is not None, -each.count, each.kind)))


def _finding(leaf: Leaf, entry: Entry, excused: str | None) -> Finding:
    return Finding(
        leaf.kind,
        entry.channel,
        leaf.message,
        leaf.path,
        entry.count,
        entry.first,
        entry.last,
        entry.example,
        entry.legacy,
        entry.candidate,
        excused,
        leaf.reason,
    )
