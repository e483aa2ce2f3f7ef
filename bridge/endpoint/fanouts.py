"""The fan-outs of one bridge, each open for as long as somebody holds it.

Decides when a channel's fan-out begins and ends; what it does meanwhile is its own business.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.endpoint.fanout import Fanout
from bridge.endpoint.service import Service
from bridge.hub.channel import ChannelKey


class Fanouts:
    """The fan-outs of one bridge.

    Args:
        service: what they share.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._open: dict[ChannelKey, Fanout] = {}

    def join(self, key: ChannelKey) -> Fanout:
        """The fan-out of a channel, which is opened where need be. Goes with one `leave`."""
        fanout, hub = self._open.get(key), self.service.hub
        if fanout is None:
            fanout = self._open[key] = Fanout(self.service, lambda bell: hub.join(key, bell))
        else:
            hub.join(key, fanout)
        return fanout

    def drain(self, most: int, random: Callable[[], float]) -> int:
        """End so many readers, of channels at random; answers how many there are to end."""
        rest = most
        for each in sorted(self._open.values(), key=lambda _: random()):
            rest -= each.drain(rest)
        return most - rest

    def leave(self, fanout: Fanout) -> None:
        """Hold a fan-out no more."""
        channel = fanout.channel
        self.service.hub.leave(channel, fanout)
        if not channel.has(fanout) and self._open.get(channel.key) is fanout:
            del self._open[channel.key]
            fanout.close()
