"""Which places of a message are left out of its key, since they differ too often to find twins by.

Decides by counting. A key only finds twins: what is left out of it is compared all the same, so
nothing is ever hidden here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from bridge.parity.canonical import Value
from bridge.parity.rules import DROP, Pattern

_FEWEST = 8
_SHARE = 0.25
_LARGEST = 32


class Volatile:
    """The volatile places by message type.

    Args:
        known: message type and path of places that are known to differ.
    """

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        self.count = 0
        """How many places are left out."""
        self._patterns: defaultdict[str, dict[str, Pattern]] = defaultdict(dict)
        self._met: Counter[str] = Counter()
        self._differed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for message, path in known:
            self.take(message, path)

    def met(self, message: str, times: int = 1) -> None:
        """Twins of this type were found that differ nowhere but in volatile places."""
        self._met[message] += times

    def differed(self, message: str, paths: Iterable[str]) -> bool:
        """Likely twins differ at these places; whether one of them counts as volatile from now."""
        self._met[message] += 1
        counts = self._differed[message]
        counts.update(set(paths))
        found = [
            path
            for path in set(paths)
            if path not in self._patterns[message]
            and counts[path] >= max(_FEWEST, _SHARE * self._met[message])
        ]
        room = max(0, _LARGEST - len(self._patterns[message]))
        return sum(self.take(message, path) for path in sorted(found)[:room]) > 0

    def reduced(self, message: str, value: Value) -> Value:
        """What of a payload is stable."""
        patterns = self._patterns.get(message)
        for pattern in patterns.values() if patterns else ():
            value = pattern.changed(value, lambda _: DROP)
        return value

    def holds(self, message: str, path: str) -> bool:
        """Whether exactly this place is left out."""
        return path in self._patterns.get(message, ())

    def take(self, message: str, path: str) -> bool:
        """Leave a place out from now on; False where its path cannot be told."""
        try:
            self._patterns[message][path] = Pattern.parse(path)
        except ValueError:
            # A member's name that no path can hold, such as one with a quote.
            return False
        self.count += 1
        return True
