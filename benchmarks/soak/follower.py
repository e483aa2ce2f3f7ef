"""Whether one client was told each event once and in order. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Account:
    """What went right and wrong, over any number of clients.

    Attributes:
        delivered: events that came.
        lost: events that were missing, whether or not that was announced.
        doubled: events that came again.
        reordered: events that came after a later one.
        gaps: holes that the bridge announced.
    """

    delivered: int = 0
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    gaps: int = 0

    def told(self) -> dict[str, int]:
        """As a mapping."""
        return asdict(self)


class Follower:
    """One client's numbers, over all its connections.

    Args:
        account: where faults are counted.

    Attributes:
        place: the cursor to resume with, empty at first.
        last: the last number, None before the first.
    """

    __slots__ = ("_account", "_again", "_since", "last", "place")

    def __init__(self, account: Account) -> None:
        self._account = account
        self.place = ""
        self.last: int | None = None
        self._since = self._again = 0

    def resumed(self) -> None:
        """A new connection: what came since the cursor will come again, by the protocol."""
        if not self.place:  # without one the stream begins anew
            self._since, self.last = 0, None
        self._again = self._since

    def event(self, number: int) -> None:
        """An event that has a place of its own (SSE), or whose cursor follows (WebSocket)."""
        if self._again:
            self._again -= 1
            return
        self._since += 1
        account, last = self._account, self.last
        account.delivered += 1
        if last is None or number > last:
            account.lost += number - last - 1 if last is not None else 0
            self.last = number
        elif number == last:
            account.doubled += 1
        else:
            account.reordered += 1

    def at(self, place: str) -> None:
        """The place after all that came."""
        self.place, self._since = place, self._again

    def gap(self, place: str) -> None:
        """A hole was announced."""
        self._account.gaps += 1
        self._again = 0
        self.at(place)
