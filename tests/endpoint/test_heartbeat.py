"""When a channel's silence is to be broken."""

from bridge.endpoint.heartbeat import Heartbeat
from tests.endpoint.clockwork import Time


class Silence:
    """A heartbeat over time that the test moves."""

    def __init__(self, *, speaks: bool = True) -> None:
        self.time, self.beats = Time(), list[float]()
        self._speaks = speaks
        self.heartbeat = Heartbeat(self.time.wheel, 10.0, self._beat)

    def _beat(self) -> None:
        self.beats.append(self.time.now)
        if self._speaks:
            self.heartbeat.said()


def test_silence_brings_a_beat_after_each_interval() -> None:
    silence = Silence()
    silence.heartbeat.start()
    silence.heartbeat.start()
    silence.time.move(45)
    assert [round(at - 100) for at in silence.beats] in ([10, 20, 30, 40], [10, 20, 31, 41])


def test_whatever_is_said_puts_it_off() -> None:
    silence = Silence()
    silence.heartbeat.start()
    for _ in range(29):
        silence.time.move(1)
        silence.heartbeat.said()
    assert not silence.beats
    silence.time.move(11)
    assert len(silence.beats) == 1


def test_a_beat_that_said_nothing_comes_again_an_interval_later() -> None:
    silence = Silence(speaks=False)
    silence.heartbeat.start()
    silence.time.move(25)
    assert len(silence.beats) == 2


def test_closed_it_beats_no_more_even_if_it_never_began() -> None:
    silence = Silence()
    silence.heartbeat.close()
    silence.heartbeat.start()
    silence.heartbeat.close()
    silence.time.move(100)
    assert not silence.beats
