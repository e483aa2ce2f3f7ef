"""What differs by nature: learned from two taps on the same backend, told from real differences.

Decides which sorts of difference are no more frequent than between two legacy taps, by exact
binomial tests with a bound on false discoveries. A place without noise has no tolerance; a noisy
value must keep its shape, for shape-breaking values are a sort of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from bridge.parity.binomial import discoveries, tail
from bridge.parity.finding import Kind
from bridge.parity.tally import Leaf, Tally

_VERSION = 1
_VOLATILE = 0.05
_TORN = frozenset((Kind.MISSING, Kind.EXTRA, Kind.COALESCED))
_LEARNED = "as often as between two legacy taps"

Place = tuple[str, str]
"""Message type and path."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How often two taps on the legacy backend differ.

    Attributes:
        exposed: how many messages of each type were compared.
        leaves: how often each sort of difference was found.
        ranges: the range of numbers at noisy places.
        lag: within how many seconds 999 of 1,000 twins came.
        config: what the backends were configured with, such as a hash; noise of another
            configuration counts for nothing.
    """

    exposed: Mapping[str, float] = field(default_factory=dict)
    leaves: Mapping[Leaf, float] = field(default_factory=dict)
    ranges: Mapping[Place, tuple[float, float]] = field(default_factory=dict)
    lag: float = 0.0
    config: str = ""

    def __bool__(self) -> bool:
        return bool(self.exposed)

    @property
    def volatile(self) -> list[Place]:
        """Places that differ too often to find twins by."""
        counts: Counter[Place] = Counter()
        for leaf, count in self.leaves.items():
            if leaf.path != "$":
                counts[leaf.message, leaf.path] += count  # type: ignore[assignment]
        return [
            place
            for place, count in counts.items()
            if count >= _VOLATILE * self.exposed.get(place[0], 0)
        ]

    def learned(
        self, tally: Tally, ranges: Mapping[Place, tuple[float, float]], lag: float
    ) -> Noise:
        """This noise and what another comparison of two legacy taps shows.

        What a lost connection explains is no noise: all of it has one cause, and tells nothing of
        how often a message gets lost by itself.
        """
        leaves = Counter(dict(self.leaves))
        for leaf, entry in tally.entries.items():
            if leaf.excused is None and not (leaf.reason and leaf.kind in _TORN):
                leaves[_sort(leaf)] += entry.count
        exposed = Counter(dict(self.exposed))
        exposed.update(tally.exposed)
        return replace(
            self,
            exposed=dict(exposed),
            leaves=dict(leaves),
            ranges=dict(self.ranges) | dict(_joined(self.ranges, ranges)),
            lag=max(self.lag, lag),
        )

    def decayed(self, share: float) -> Noise:
        """This noise with less weight, so that what is learned anew counts for more.

        Args:
            share: what remains of every count, from 0 to 1.

        Raises:
            ValueError: it is no share.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"{share} of the noise cannot remain; use a share from 0 to 1")
        return replace(
            self,
            exposed={name: count * share for name, count in self.exposed.items()},
            leaves={leaf: count * share for leaf, count in self.leaves.items()},
        )

    def of(self, config: str) -> Noise:
        """This noise where it was learned under the same configuration, else none at all."""
        return self if config == self.config else Noise(config=config)

    def excused(self, tally: Tally, false_alarms: float) -> dict[Leaf, str]:
        """Which sorts of difference are no more than noise, each with the reason in words."""
        noisy = [leaf for leaf in tally.entries if self.leaves.get(_sort(leaf), 0)]
        chances = [self._chance(leaf, tally) for leaf in noisy]
        real = discoveries(chances, false_alarms)
        return {
            leaf: _reason(leaf)
            for leaf, stands_out in zip(noisy, real, strict=True)
            if not stands_out
        }

    def _chance(self, leaf: Leaf, tally: Tally) -> float:
        """How likely so many differences, or more, are if both comparisons differ alike.

        Given all discordant pairs of both comparisons, those of the candidate are binomial with
        its share of all messages that were exposed (a conditional exact test).
        """
        ours, theirs = tally.entries[leaf].count, self.leaves[_sort(leaf)]
        exposed, known = self._exposed(leaf.message, tally)
        trials = ours + round(theirs)
        return tail(ours, trials, exposed / (exposed + known)) if exposed + known else 1.0

    def _exposed(self, message: str, tally: Tally) -> tuple[float, float]:
        ours, theirs = tally.exposed[message], self.exposed.get(message, 0)
        if ours and theirs:
            return ours, theirs
        return tally.exposed.total(), sum(self.exposed.values())

    def to_json(self) -> str:
        """The noise as one JSON text, to be used again."""
        return orjson.dumps(
            {
                "version": _VERSION,
                "config": self.config,
                "lag": self.lag,
                "exposed": dict(self.exposed),
                "leaves": [
                    [leaf.kind, leaf.message, leaf.path, leaf.kept, count, leaf.reason]
                    for leaf, count in self.leaves.items()
                ],
                "ranges": [[*place, *ends] for place, ends in self.ranges.items()],
            }
        ).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Noise:
        """What `to_json` wrote.

        Raises:
            ValueError: it is something else, in one line.
        """
        try:
            found: dict[str, Any] = orjson.loads(text)
            if found["version"] != _VERSION:
                raise ValueError(f"noise of version {found['version']} is not known here")
            return cls(
                {str(name): float(count) for name, count in found["exposed"].items()},
                {
                    Leaf(Kind(kind), str(message), str(path), bool(kept), "".join(why)): float(
                        count
                    )
                    for kind, message, path, kept, count, *why in found["leaves"]
                },
                {(str(a), str(b)): (float(c), float(d)) for a, b, c, d in found["ranges"]},
                float(found["lag"]),
                str(found["config"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no learned noise: {error}") from None


def _sort(leaf: Leaf) -> Leaf:
    """The leaf without what is said about it for people alone.

    The reason is more than that where a value kept its shape: it names the part that differs.
    """
    return Leaf(leaf.kind, leaf.message, leaf.path, leaf.kept, leaf.reason if leaf.kept else "")


def _reason(leaf: Leaf) -> str:
    return f"{_LEARNED}, and of the same shape" if leaf.kept else _LEARNED


def _joined(
    old: Mapping[Place, tuple[float, float]], new: Mapping[Place, tuple[float, float]]
) -> Iterable[tuple[Place, tuple[float, float]]]:
    for place, (low, high) in new.items():
        ends = old.get(place, (low, high))
        yield place, (min(low, ends[0]), max(high, ends[1]))
