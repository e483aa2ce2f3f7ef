"""Ending the sessions of one bridge, some at a time.

Decides whose turn it is: readers of any channel that have been sent everything, and sockets that
read nothing. How many and when is `pace`'s business, and what each is told the fan-out's.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from bridge.endpoint.conversation import Conversation
from bridge.endpoint.fanouts import Fanouts
from bridge.endpoint.gateway import RESTARTS
from bridge.wire.endings import RESTART


class Drain:
    """Ends the sessions of one bridge.

    Args:
        fanouts: where channels are read.
        random: uniform in [0, 1).

    Attributes:
        present: the conversations that are not over, for whoever begins one to note there.
    """

    def __init__(self, fanouts: Fanouts, random: Callable[[], float]) -> None:
        self._fanouts, self._random = fanouts, random
        self.present: set[Conversation] = set()
        self._hub = fanouts.service.hub

    def begin(self) -> None:
        """Refuse newcomers from now on."""
        self._hub.refuse()

    @property
    def sessions(self) -> int:
        """How many are here: subscriptions, POSTs under way, and sockets that read nothing."""
        return self._hub.statistics().readers + sum(not each.readers for each in self.present)

    def end(self, most: int) -> None:
        """End at most so many, those who have been sent everything."""
        ending = self._hub.draining or RESTART
        rest = most - self._fanouts.drain(most, self._random)
        idle = [each for each in self.present if not each.readers]
        for each in islice(idle, rest):
            each.end(self._fanouts.service.delayed(ending), RESTARTS)
