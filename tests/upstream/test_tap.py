"""A tap tells everything that a backend says, and what became of its connections."""

from collections.abc import AsyncIterator, Sequence

import pytest

from bridge.parity.observation import Mark, Observation, Side, Sight, Turn
from bridge.seams import Got, Lost, Opened, Signal
from bridge.upstream.backoff import Backoff, ReconnectOptions
from bridge.upstream.tap import Tap
from bridge.wire import endings
from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame

AGAIN = Lost(endings.ABNORMAL, "it broke off")
OVER = Lost(endings.COMPLETE, "nothing more")


class Scripted:
    """An upstream whose connections go as written."""

    kind = "ws"

    def __init__(self, *connections: Sequence[Signal]) -> None:
        self._connections = list(connections)
        self.resumed: list[str | None] = []

    async def open(self, resume: str | None) -> AsyncIterator[Signal]:
        self.resumed.append(resume)
        for signal in self._connections.pop(0):
            yield signal

    async def send(self, frame: Frame) -> Ending | None:
        raise NotImplementedError


async def told(upstream: Scripted) -> tuple[list[Sight], Tap, list[float]]:
    sights: list[Sight] = []
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    tap = Tap(
        Side.CANDIDATE,
        "c",
        upstream,
        sights.append,
        clock=lambda: 7.0,
        backoff=Backoff(ReconnectOptions(base=1.0)),
        random=lambda: 0.5,
        sleep=sleep,
    )
    await tap.run()
    return sights, tap, slept


def seen(data: str, own: str = "", connection: int = 0) -> Observation:
    return Observation(Side.CANDIDATE, "c", data, 3.0, "ws", "message", own, connection)


async def test_repetitions_after_a_reconnect_are_told_with_their_connection() -> None:
    first, second = Event("a", at=3.0, id="1"), Event("b", at=3.0, id="2")
    upstream = Scripted(
        [Opened(), Got((first,), "1"), AGAIN], [Opened(), Got((first, second), "2"), OVER]
    )
    sights, tap, _ = await told(upstream)
    assert sights == [
        Mark(Side.CANDIDATE, "c", 7.0, Turn.OPENED),
        seen("a", "1"),
        Mark(Side.CANDIDATE, "c", 7.0, Turn.LOST, 0, "it broke off"),
        Mark(Side.CANDIDATE, "c", 7.0, Turn.OPENED, 1),
        seen("a", "1", 1),
        seen("b", "2", 1),
        Mark(Side.CANDIDATE, "c", 7.0, Turn.LOST, 1, "nothing more"),
    ]
    assert upstream.resumed == [None, "1"]
    assert (tap.messages, tap.opened, tap.is_open) == (3, 2, False)


async def test_a_refused_connection_is_no_loss_but_a_reason() -> None:
    sights, tap, slept = await told(Scripted([AGAIN], [AGAIN], [OVER]))
    assert sights == []
    assert (tap.opened, tap.reason) == (0, "nothing more")
    assert slept == [0.5, 1.0]


async def test_a_connection_that_delivered_starts_the_delays_anew() -> None:
    event = Got((Event("a", at=3.0),))
    _, _, slept = await told(Scripted([AGAIN], [Opened(), event, AGAIN], [OVER]))
    assert slept == [0.5, 0.5]


@pytest.mark.parametrize(("missed", "words"), [(3, "3 events"), (-1, "an unknown number")])
async def test_a_hole_that_the_backend_tells_is_a_mark(missed: int, words: str) -> None:
    sights, _, _ = await told(Scripted([Opened(), Got((), None, missed), OVER]))
    (gap,) = (each for each in sights if isinstance(each, Mark) and each.turn is Turn.GAP)
    assert words in gap.reason


async def test_a_forgotten_place_is_not_asked_for() -> None:
    upstream = Scripted([Opened(), Got((), "1"), Got((), ""), AGAIN], [OVER])
    await told(upstream)
    assert upstream.resumed == [None, None]
