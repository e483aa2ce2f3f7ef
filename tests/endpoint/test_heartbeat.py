"""When a channel's silence is to be broken."""

from bridge.endpoint.heartbeat import Heartbeat
from bridge.endpoint.wheel import Wheel
from tests.endpoint.test_wheel import Clock


class Silence:
    """A heartbeat over time that the test moves."""

    def __init__(self, *, speaks: bool = True) -> None:
        self.clock, self.beats = Clock(), list[float]()
        self._speaks = speaks
        wheel = Wheel(self.clock.later, lambda: self.clock.now)
        self.heartbeat = Heartbeat(wheel, 10.0, self._beat)

    def _beat(self) -> None:
        self.beats.append(self.clock.now)
        if self._speaks:
            self.heartbeat.said()


def test_silence_brings_a_beat_after_each_interval() -> None:
    silence = Silence()
    silence.heartbeat.start()
    silence.heartbeat.start()
    silence.clock.move(145)
    assert [round(at - 100) for at in silence.beats] in ([10, 20, 30, 40], [10, 20, 31, 41])


def test_whatever_is_said_puts_it_off() -> None:
    silence = Silence()
    silence.heartbeat.start()
    for second in range(101, 130):
        silence.clock.move(second)
        silence.heartbeat.said()
    assert not silence.beats
    silence.clock.move(140)
    assert len(silence.beats) == 1


def test_a_beat_that_said_nothing_comes_again_an_interval_later() -> None:
    silence = Silence(speaks=False)
    silence.heartbeat.start()
    silence.clock.move(125)
    assert len(silence.beats) == 2


def test_closed_it_beats_no_more_even_if_it_never_began() -> None:
    silence = Silence()
    silence.heartbeat.close()
    silence.heartbeat.start()
    silence.heartbeat.close()
    silence.clock.move(200)
    assert not silence.beats
