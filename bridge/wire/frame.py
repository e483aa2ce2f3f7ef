"""A client's or a backend's WebSocket message, kept exactly as it came.

Decides nothing about its meaning: `raw` reaches the other side unchanged, and parsing serves
routing only. What a frame means to the bridge is the dialect's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole WebSocket message.

    Attributes:
        raw: `str` for a text message, `bytes` for a binary one.
    """

    raw: str | bytes

    @property
    def is_text(self) -> bool:
        """Whether this came as a text message."""
        return isinstance(self.raw, str)

    def parse(self) -> Any:  # noqa: ANN401 - JSON has no narrower type
        """The payload as JSON, or None where it is not JSON (a bare `null` is None as well)."""
        try:
            return orjson.loads(self.raw)
        except orjson.JSONDecodeError:
            return None

    def __len__(self) -> int:
        """The size in bytes on the wire, before framing."""
        return len(self.raw) if isinstance(self.raw, bytes) else len(self.raw.encode())

    def __bool__(self) -> bool:
        """Always true: an empty message is a message, and its length must not say otherwise."""
        return True
