"""Faults to put into a replayed stream, so that one can see a verification find them.

Decides what a fault does to which message; the dice are an argument, and nothing here waits. At
most one fault befalls a message, so that what was put in can be counted against what is found.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

STALL = 5.0
"""Seconds of a delay that names none."""

_IDENTITY = frozenset({"type", "id"})
"""Members that say which message it is; altered only where there is nothing else."""

_BODIES = ("object", "data")


class Fault(StrEnum):
    """What may be done to a message."""

    DROP = "drop"
    """It is not sent."""

    DUPLICATE = "duplicate"
    """It is sent twice, the second time under an id of its own."""

    ALTER = "alter"
    """One value in it is another of the same JSON type."""

    TYPE_DRIFT = "type-drift"
    """One value in it is of another JSON type."""

    REORDER = "reorder"
    """It is sent after the next one."""

    DELAY = "delay"
    """It and all behind it are held up for some seconds."""

    COALESCE = "coalesce"
    """It is not sent: the next one, a newer state, stands for it."""

    ENCODING = "encoding"
    """Its JSON is written with other white space."""

    ENVELOPE = "envelope"
    """Its member `object` or `data` is called `payload`."""

    DISCONNECT = "disconnect"
    """All connections are cut behind it."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How often a fault is put in.

    Attributes:
        fault: what.
        rate: the share of messages, from 0 to 1.
        seconds: of a delay.
    """

    fault: Fault
    rate: float = 0.01
    seconds: float = STALL

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError("a fault's rate is a share from 0 to 1, such as 0.01")
        if not 0 <= self.seconds < 3600:
            raise ValueError("a delay is a number of seconds, such as 5")


def plan(text: str) -> FaultPlan:
    """Read `KIND`, `KIND:RATE` or `delay:RATE:SECONDS`.

    Raises:
        ValueError: saying what can be written.
    """
    name, *numbers = text.split(":")
    if name not in list(Fault):
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(Fault)}")
    if len(numbers) > 1 + (name == Fault.DELAY):
        raise ValueError("write a fault as drop:0.01, a delay as delay:0.01:5")
    try:
        return FaultPlan(Fault(name), *map(float, numbers))
    except ValueError as fault:
        said = str(fault)
        raise ValueError(
            said if said.startswith("a ") else "a rate is a number such as 0.01"
        ) from None


@dataclass(frozen=True, slots=True)
class Message:
    """What a backend says.

    Attributes:
        data: the payload.
        type: the SSE event name.
        id: the backend's own id, empty for the next number.
    """

    data: str | bytes
    type: str = "message"
    id: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message, after some seconds in which nothing behind it is sent either."""

    message: Message
    after: float = 0.0


class Cut:
    """Cut all connections."""


Step = Send | Cut
CUT = Cut()


class Faults:
    """Puts faults into one stream.

    Args:
        plans: which, and how often; the first that the dice choose befalls a message.
        random: uniform in [0, 1), one for each throw.

    Attributes:
        counts: how many were put in, by kind.
    """

    def __init__(self, plans: Sequence[FaultPlan], random: Callable[[], float]) -> None:
        self._plans, self._random = plans, random
        self._held: tuple[Fault, Message] | None = None
        self.counts: Counter[Fault] = Counter()

    def take(self, message: Message) -> Iterator[Step]:
        """What becomes of the next message; what is held back comes with the one after it."""
        if self._held:
            fault, held = self._held
            self._held = None
            self.counts[fault] += 1
            yield Send(message)
            if fault is Fault.REORDER:
                yield Send(held)
            return
        chosen = self._choose(message)
        if chosen is None:
            yield Send(message)
        elif chosen.fault in (Fault.REORDER, Fault.COALESCE):
            self._held = chosen.fault, message
        else:
            self.counts[chosen.fault] += 1
            yield from self._done(chosen, message)

    def flush(self) -> Iterator[Step]:
        """What is still held back, once the stream is over: then it is sent as it was."""
        if self._held:
            yield Send(self._held[1])
            self._held = None

    def _choose(self, message: Message) -> FaultPlan | None:
        for each in self._plans:
            if self._random() < each.rate and _befalls(each.fault, message):
                return each
        return None

    def _done(self, chosen: FaultPlan, message: Message) -> Iterator[Step]:
        match chosen.fault:
            case Fault.DUPLICATE:
                yield from (Send(message), Send(replace(message, id="")))
            case Fault.DELAY:
                yield Send(message, chosen.seconds)
            case Fault.DISCONNECT:
                yield from (Send(message), CUT)
            case Fault.ALTER | Fault.TYPE_DRIFT:
                how = _altered if chosen.fault is Fault.ALTER else _drifted
                yield Send(replace(message, data=self._changed(message.data, how)))
            case Fault.ENCODING:
                yield Send(replace(message, data=json.dumps(_parsed(message.data), indent=1)))
            case Fault.ENVELOPE:
                yield Send(replace(message, data=_rewrapped(message.data)))
            case _:  # dropped
                return

    def _changed(self, data: str | bytes, how: Callable[[Any], Any]) -> str | bytes:
        """The payload with one value changed, or with something appended where it is no JSON."""
        tree = {"": _parsed(data)}
        leaves = list(_leaves(tree))
        if tree[""] is None or not leaves:
            return data + "~" if isinstance(data, str) else data + b"~"
        usual = [each for each in leaves if each[1] not in _IDENTITY] or leaves
        node, key = usual[int(self._random() * len(usual))]
        node[key] = how(node[key])
        return _written(tree[""])


def _befalls(fault: Fault, message: Message) -> bool:
    """Whether there is anything that the fault could change: some need JSON to change."""
    if fault is Fault.ENVELOPE:
        return bool(_wrapping(message.data))
    if fault in (Fault.TYPE_DRIFT, Fault.ENCODING):
        return isinstance(_parsed(message.data), dict | list)
    return True


def _parsed(data: str | bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(data) if isinstance(data, str) else None
    except (ValueError, RecursionError):
        return None


def _written(tree: object) -> str:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))


def _wrapping(data: str | bytes) -> str:
    """Which member holds a message's body; empty where none does."""
    tree = _parsed(data)
    return next((name for name in _BODIES if isinstance(tree, dict) and name in tree), "")


def _rewrapped(data: str | bytes) -> str:
    old = _wrapping(data)
    tree = _parsed(data)
    return _written({"payload" if name == old else name: tree[name] for name in tree})


def _leaves(node: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - whatever JSON holds
    """Each scalar as its container and its key."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(pairs):
        if isinstance(value, dict | list):
            yield from _leaves(value)
        else:
            yield node, key


def _altered(value: object) -> object:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "~"
    return "~"


def _drifted(value: object) -> object:
    match value:
        case str():
            return [value]
        case None:
            return 0
    return _written(value)
