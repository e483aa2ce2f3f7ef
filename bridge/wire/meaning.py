"""What a frame from a legacy client means to the bridge: the answers of `wire.dialect`.

Decides nothing; the endpoint acts on these values.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.wire.endings import Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName


@dataclass(frozen=True, slots=True)
class Subscribe:
    """The client wants channels.

    Attributes:
        names: at least one, each once; aliases and rights are not yet applied.
        reply: the acknowledgement of the whole frame, None where none is configured.
        resume: the client's place as it wrote it, None where it gave none.
    """

    names: tuple[ChannelName, ...]
    reply: str | None = None
    resume: str | None = None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """The client wants channels no longer.

    Attributes:
        names: at least one, each once.
        reply: the acknowledgement, None where none is configured.
    """

    names: tuple[ChannelName, ...]
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The bridge itself answers, as it does to a ping.

    Attributes:
        text: the frame to send back.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Authenticate:
    """The client shows who it is.

    Attributes:
        token: the secret; never logged.
        reply: what to send once it is accepted, None where nothing is configured.
    """

    token: str = field(repr=False)
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing is to be done.

    Attributes:
        reason: a word for the counters: `pong`, `ping` or `unknown`.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The frame asks for something that cannot be; treat it as a refused command.

    Attributes:
        ending: why, on every wire.
        reason: one line for people; never repeats hostile text.
    """

    ending: Ending
    reason: str


@dataclass(frozen=True, slots=True)
class Command:
    """The frame is for the backend.

    Attributes:
        frame: unchanged.
    """

    frame: Frame


Meaning = Subscribe | Unsubscribe | Reply | Authenticate | Ignore | Refuse | Command
