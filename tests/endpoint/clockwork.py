"""A wheel by a clock and a timer that the test moves."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.endpoint.wheel import Wheel
from tests.hub.parts import Due as Timer

TICK = 0.5


@dataclass
class Time:
    """A clock and the timers of one wheel."""

    now: float = 100.0
    timers: list[Timer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wheel = Wheel(self._later, lambda: self.now, TICK)

    def _later(self, delay: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + delay, callback))
        return self.timers[-1]

    @property
    def standing(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def move(self, seconds: float) -> None:
        """Let time pass, each timer firing when it is due."""
        end = self.now + seconds
        while due := [timer for timer in self.standing if timer.at <= end]:
            self._fire(min(due, key=lambda timer: timer.at))
        self.now = end

    def stall(self, seconds: float) -> None:
        """Let time pass while the event loop is held up: what is due fires only afterwards."""
        self.now += seconds
        for timer in [timer for timer in self.standing if timer.at <= self.now]:
            self._fire(timer)

    def _fire(self, timer: Timer) -> None:
        self.timers.remove(timer)
        self.now = max(self.now, timer.at)
        timer.callback()
