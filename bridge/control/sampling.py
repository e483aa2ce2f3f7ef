"""Which channels are compared beside their delivery.

Decides by name alone, so a channel is always in or always out, whatever the others are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b

from bridge.wire.names import ChannelName, served

_SHARES = 2**64


@dataclass(frozen=True, slots=True)
class ShadowOptions:
    """Comparing the backend that does not lead (`[shadow]`); needs both upstreams.

    Attributes:
        channels: which channels are compared while they live, by patterns such as `project.*`;
            empty compares none.
        rate: the share of those that is compared, from 0 to 1.
        salt: another one draws other channels.
        limit: the most channels that are compared at a time.
        queue: how many messages may wait for the comparison; more are left out and counted.
        keep: of how many ended channels the last report is kept.
        patience: seconds after which a comparison that does not come back is given up, until the
            bridge is started again.
    """

    channels: tuple[str, ...] = ()
    rate: float = 1.0
    salt: str = ""
    limit: int = 100
    queue: int = 10_000
    keep: int = 1_000
    patience: float = 30.0

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError("rate is a share of channels; set it between 0 and 1")
        if self.limit < 1 or self.queue < 1:
            raise ValueError("limit and queue must be at least 1; channels = [] turns it off")
        if self.keep < 0:
            raise ValueError("keep must not be negative; 0 keeps no report of an ended channel")
        if not 0 < self.patience < math.inf:
            raise ValueError("patience must be more than 0 seconds; 30 suits most")

    def samples(self, name: ChannelName) -> bool:
        """Whether a channel is compared."""
        if not served(name, self.channels):
            return False
        digest = blake2b(f"{self.salt}\0{name.text}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) < self.rate * _SHARES
