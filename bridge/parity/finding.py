"""A difference between two streams: what it is, where, how often, and one pair that shows it.

Decides nothing; the comparison finds, noise excuses, the verdict judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bridge.parity.observation import Observation


class Kind(StrEnum):
    """What may differ."""

    MISSING = "missing"
    """The legacy side said it, the candidate did not."""

    EXTRA = "extra"
    """The candidate said it, the legacy side did not."""

    ALTERED = "altered"
    """The same message with another value."""

    TYPE_DRIFT = "type-drift"
    """The same message with a value of another JSON type, or with a member more or less."""

    REORDERED = "reordered"
    """The same message at another place in the order."""

    DUPLICATED = "duplicated"
    """Said once more than on the other side, and not as a repetition after a reconnect."""

    LATE = "late"
    """The same message, later than the window or the learned lag allows."""

    COALESCED = "coalesced"
    """Several messages of one side are one on the other."""

    ENCODING = "encoding"
    """Equal as JSON, not to the byte."""

    ENVELOPE = "envelope"
    """Equal within, wrapped differently: another event name, another wrapping member."""


@dataclass(frozen=True, slots=True)
class Example:
    """One pair that shows a finding; a side is None where it said nothing.

    Attributes:
        legacy: what the legacy side said.
        candidate: what the candidate said.
    """

    legacy: Observation | None = None
    candidate: Observation | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One sort of difference, at one place of one message type.

    Attributes:
        kind: what differs.
        channel: on which channel the example was seen.
        message: the message's type, as the envelope names it; empty where it has none.
        path: the JSON path of what differs, such as `$.object.url` or `$.object.tasks[*].id`;
            `$` for the whole message.
        count: how often.
        first: when it was first seen, in seconds of the comparison's clock.
        last: when it was last seen.
        example: one pair that shows it.
        legacy: the legacy side's value at `path` in the example, as JSON text; None where absent.
        candidate: the candidate's.
        excused: why this is no failure, such as a learned noise or a rule; None where it is one.
        reason: what is known about why it differs, such as a connection lost at that time, or
            that white space differs; empty where nothing is.
    """

    kind: Kind
    channel: str
    message: str
    path: str
    count: int
    first: float
    last: float
    example: Example
    legacy: str | None = None
    candidate: str | None = None
    excused: str | None = None
    reason: str = ""
