"""What a comparison is told: how long it waits, what it lets pass, and when it may judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge.parity.rules import Pattern, Rules

_LARGEST_WINDOW = 3600.0


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """How two streams are compared; every duration is in seconds.

    Attributes:
        window: how long a message waits for its twin before it counts as missing or extra; a twin
            that comes after that is late. A longer lag that two legacy taps showed extends it.
        recall: how long a missing message is remembered so that a late twin can still revise it,
            and a message so that its repetition is known; at least `window`.
        disorder: by how much a message may leave its place in the order. Messages about the same
            entity never may.
        coalesce: within which time a newer state of an entity may stand for an older one, so that
            the older one counts as coalesced rather than missing.
        clocks: `one` where both sides were timed by the same clock, as live taps are; `two` for
            recordings of different machines, whose offset is then estimated.
        skew: by how much timestamps that differ by nature may differ.
        confidence: of the bound on the share of messages that differ.
        max_share: that share, from 0 to 1, up to which a comparison still passes; 0 lets no
            difference pass.
        min_messages: how many messages have to be compared before a comparison may pass.
        max_silence: the share of a side's messages, from 0 to 1, that may lie after the other
            side's last word; with more the other side fell silent, and nothing is proven.
        false_alarms: the share of findings about noise that may be wrong, from 0 to 1.
        ignore: JSON paths that may differ in any way, such as `$.object.updated_at`,
            `$..url`, or `file:$.object.url` for messages of one type.
        normalise: what is made alike before it is compared, as `PATH=NAME` with `lower`, `trim`,
            `number`, `sorted`, `url` (drops the query) or `null` (as good as absent).
        encoding: whether payloads that are equal as JSON but not to the byte `fail`, or are an
            `excuse`.
        excuse_holes: whether what the candidate lacks around a lost connection or an announced
            gap is excused. What it says in a hole of the legacy side always is.
        identity: JSON paths of an id that both sides give a message, such as `$.object.event_id`.
        entity: members of the body that name what a message is about; the first that is there.
        version: members of the body that tell states of one entity apart; the first that is
            there.
        max_pending: how many messages of one side of a channel may wait, however long the window.

    Raises:
        ValueError: a setting cannot be used; says which one in one line.
    """

    window: float = 10.0
    recall: float = 30.0
    disorder: float = 2.0
    coalesce: float = 1.0
    clocks: Literal["one", "two"] = "one"
    skew: float = 5.0
    confidence: float = 0.95
    max_share: float = 0.0
    min_messages: int = 100
    max_silence: float = 0.1
    false_alarms: float = 1e-4
    ignore: tuple[str, ...] = ()
    normalise: tuple[str, ...] = ()
    encoding: Literal["fail", "excuse"] = "fail"
    excuse_holes: bool = False
    identity: tuple[str, ...] = ()
    entity: tuple[str, ...] = ("id", "file_id", "entity_id")
    version: tuple[str, ...] = ("version", "revision", "seq", "updated_at", "updatedAt")
    max_pending: int = 100_000

    def __post_init__(self) -> None:
        self._check_durations()
        self._check_shares()
        self._check_words()
        Rules(self.ignore, self.normalise)
        for path in self.identity:
            Pattern.parse(path)

    def _check_durations(self) -> None:
        if not 0 < self.window <= _LARGEST_WINDOW:
            raise ValueError(f"window is {self.window}; it is to be above 0 and at most 3600")
        for name in ("recall", "disorder", "coalesce", "skew"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}; it is to be at least 0")
        if self.recall < self.window:
            raise ValueError(f"recall is {self.recall}, less than window ({self.window})")

    def _check_shares(self) -> None:
        for name in ("confidence", "false_alarms"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it is to lie between 0 and 1")
        for name in ("max_share", "max_silence"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it is to be from 0 to 1")
        for name in ("min_messages", "max_pending"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it is to be at least 1")

    def _check_words(self) -> None:
        if self.clocks not in ("one", "two"):
            raise ValueError(f"clocks is {self.clocks!r}; use one or two")
        if self.encoding not in ("fail", "excuse"):
            raise ValueError(f"encoding is {self.encoding!r}; use fail or excuse")
