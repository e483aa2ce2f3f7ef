"""Whether the ids that messages give what they are about tell the messages apart.

Decides by what both sides call their entities: an id is trusted, unless a rule ignores it, it was
learned as noise, or no twins of its type ever share one. Never looks at the rest of a message.
"""

from __future__ import annotations

from collections import Counter

from bridge.parity.canonical import Value
from bridge.parity.envelope import Message
from bridge.parity.rules import Rules, member
from bridge.parity.volatile import Volatile

_SCALARS = (str, int, float)
_FEWEST = 8


class Ids:
    """The ids of entities in the messages of two sides.

    Args:
        names: members of the body that hold an id; the first that is there.
        rules: what may differ in any way.
        volatile: what is known to differ too often to find twins by.
    """

    def __init__(self, names: tuple[str, ...], rules: Rules, volatile: Volatile) -> None:
        self._names, self._rules, self._volatile = names, rules, volatile
        self._agreed: set[str] = set()
        self._alone: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

    def of(self, message: Message) -> str:
        """The id of what a message is about, as text; empty where it names none."""
        return first(message.body, self._names)

    def twins(self, left: Message, right: Message) -> None:
        """Two messages are twins: do they share their id?"""
        kind = left.type
        if kind not in self._agreed and self.of(left) and self.of(left) == self.of(right):
            self._agreed.add(kind)

    def alone(self, side: int, message: Message) -> bool:
        """A message found no twin; whether it is known only now that ids differ by nature.

        They do where eight messages of a type found none on either side, and no twins share one.
        """
        kind = message.type
        name = self._name(message)
        if not name or kind in self._agreed:
            return False
        path = member(message.base, name)
        if self._volatile.holds(kind, path):
            return False
        self._alone[side][kind] += 1
        enough = min(counts[kind] for counts in self._alone) >= _FEWEST
        return enough and self._volatile.take(kind, path)

    def apart(self, left: Message, right: Message) -> bool:
        """Whether two messages are about different things, as far as ids can be trusted."""
        name = self._name(left)
        if not name or name != self._name(right):
            return False
        if self.of(left) == self.of(right):
            return False
        path = member(left.base, name)
        return not (
            self._volatile.holds(left.type, path)
            or self._rules.ignored(left.type, path) is not None
        )

    def _name(self, message: Message) -> str:
        body = message.body
        return next((name for name in self._names if first(body, (name,))), "")


def first(body: Value, names: tuple[str, ...]) -> str:
    """The text of the first member that is there and says something; empty where none does."""
    if isinstance(body, dict):
        for name in names:
            value = body.get(name)
            if isinstance(value, _SCALARS) and value != "":
                return str(value)
    return ""
