"""The readers of one channel that are at one place, by the form that each takes.

Decides in which parts they are written to; never writes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain

from bridge.endpoint.batch import Form
from bridge.endpoint.reader import Reader

Write = Callable[[object], None]
Part = tuple[Form, tuple[tuple[Reader, Write], ...]]
"""A slice of those who take one form."""


class Group:
    """Readers at one place."""

    __slots__ = ("_by_form",)

    def __init__(self) -> None:
        self._by_form: dict[Form, dict[Reader, Write]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_form.values()))

    def __iter__(self) -> Iterator[Reader]:
        return chain.from_iterable(self._by_form.values())

    def add(self, reader: Reader) -> None:
        """It is here."""
        self._by_form.setdefault(reader.form, {})[reader] = reader.outlet.write

    def discard(self, reader: Reader) -> bool:
        """It is not; answers whether it was."""
        return self._by_form.get(reader.form, {}).pop(reader, None) is not None

    def parts(self, size: int) -> deque[Part]:
        """All of them as they are now, so many at a time."""
        parts = deque[Part]()
        for form, readers in self._by_form.items():
            targets = tuple(readers.items())
            for at in range(0, len(targets), size):
                parts.append((form, targets[at : at + size]))
        return parts
