"""Compares recordings: one that holds both sides, or two of which each gives one.

Decides which side of a file counts as what, and how the times of two files are laid side by side;
what differs is `bridge.parity.comparison`'s business. Holds no more than a window in memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from bridge.parity.clocks import offset
from bridge.parity.comparison import Comparison
from bridge.parity.observation import Mark, Observation, Side, Sight
from bridge.parity.recording import Transcript, foreign
from bridge.parity.report import Report
from bridge.verify.collecting import seldom_collected
from bridge.verify.files import sights
from bridge.verify.player import Contents

LOOKED_AT = 5_000
"""Messages of each file that are looked at to lay their times side by side."""

_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """What one file brings to a comparison.

    Attributes:
        path: the file.
        sides: what each of its sides counts as; the others are left out.
        transcript: reads it, and knows what could not be read.
    """

    path: Path
    sides: dict[Side, Side]
    transcript: Transcript

    def sights(self, shift: float = 0.0) -> Iterator[Sight]:
        """What the file shows, as the sides that count, with `shift` added to its times."""
        for sight in sights(self.path, self.transcript):
            side = self.sides.get(sight.side)
            if side is None:
                continue
            if shift or side is not sight.side:
                yield replace(sight, side=side, at=sight.at + shift)
            else:
                yield sight

    def fresh(self) -> Part:
        """The same, to be read from its beginning."""
        return replace(self, transcript=Transcript(self.transcript.name))


def parts(paths: Sequence[Path]) -> tuple[Part, ...]:
    """One file for both sides, or two: the first is the legacy side, the second the candidate.

    Where a file that gives one side holds several, the legacy side of the first (with its
    control) counts and the candidate of the second.

    Raises:
        NotARecording: one of them cannot be read, or is something else.
    """
    if len(paths) == 1:
        return (Part(paths[0], {side: side for side in Side}, Transcript(paths[0].name)),)
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    made = []
    for path, name, own in zip(paths, names, (Side.LEGACY, Side.CANDIDATE), strict=True):
        there = Contents.of(path).sides
        given = own if own in there else next(iter(sorted(there)), own)
        sides = {given: own}
        if own is Side.LEGACY and given is own:
            sides[Side.CONTROL] = Side.CONTROL
        made.append(Part(path, sides, Transcript(name)))
    return tuple(made)


def compare(
    given: Sequence[Part], comparison: Comparison, is_over: Callable[[int], bool] = lambda _: False
) -> Report:
    """Compare what the files hold, as far as they can be read.

    Args:
        given: from `parts`.
        comparison: a fresh one; of `clocks = "two"` where there are two files.
        is_over: asked now and then with the number of sights so far; True ends the reading.
    """
    with seldom_collected():
        for seen, sight in enumerate(_laid_out(given), 1):
            comparison.take(sight)
            if seen % _EVERY == 0 and is_over(seen):
                break
        comparison.close()
    comparison.unread(sum(part.transcript.unreadable for part in given))
    report = comparison.report()
    notes = [note for part in given for note in (*part.transcript.notes(), *_others(part, given))]
    verdict = report.verdict
    if not report.channels and _lone(given):
        verdict = replace(verdict, reason="the recordings have no channel in common")
    return replace(report, verdict=verdict, notes=(*notes, *report.notes), names=_names(given))


def _laid_out(given: Sequence[Part]) -> Iterator[Sight]:
    if len(given) == 1:
        return given[0].sights()
    legacy, candidate = given
    lone = _lone(given)
    shift = -_ahead(legacy, candidate)
    # a shift below nothing would put the candidate's beginning before the clock's
    both = legacy.sights(max(-shift, 0.0)), candidate.sights(max(shift, 0.0))
    merged = heapq.merge(*both, key=lambda sight: sight.at)
    return (sight for sight in merged if sight.channel not in lone)


def _lone(given: Sequence[Part]) -> frozenset[str]:
    """Channels that one file has and the other has not; what no header names is compared."""
    channels = [Contents.of(part.path).channels for part in given]
    return frozenset.union(*channels) - frozenset.intersection(*channels)


def _ahead(legacy: Part, candidate: Part) -> float:
    """By how much the candidate's times are ahead: by what both say once, else by the headers."""
    first, second = (
        list(islice(_messages(part.fresh().sights()), LOOKED_AT)) for part in (legacy, candidate)
    )
    found = offset(first, second)
    if found.count:
        return found.seconds
    began = [Contents.of(part.path).began for part in (legacy, candidate)]
    return began[0] - began[1] if began[0] is not None and began[1] is not None else 0.0


def _messages(all_of_them: Iterable[Sight]) -> Iterator[Observation]:
    return (sight for sight in all_of_them if not isinstance(sight, Mark))


def _others(part: Part, given: Sequence[Part]) -> Iterator[str]:
    """A note where a file holds a channel that the other does not."""
    own = Contents.of(part.path).channels
    for other in given:
        if other is not part:
            names = foreign(own, Contents.of(other.path).channels)
            if names:
                yield (
                    f"{part.transcript.name}:1: holds {', '.join(names)}, which "
                    f"{other.transcript.name} does not; left out"
                )


def _names(given: Sequence[Part]) -> tuple[str, str]:
    if len(given) == 1:
        return "legacy", "candidate"
    return given[0].transcript.name, given[1].transcript.name
