"""A lead with a companion does all that it did before."""

from bridge.control.shadowed import ShadowedLead
from bridge.hub.channel import Channel
from bridge.wire.frame import Frame
from tests.hub.parts import IdleLead, World, key


class Companion:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def begin(self, channel: Channel) -> None:
        self.calls.append("begin")

    def end(self, channel: Channel) -> None:
        self.calls.append("end")


async def test_it_lives_as_long_as_its_lead_runs() -> None:
    channel = World().hub.join(key(), lambda: None)
    lead, companion = IdleLead(channel), Companion()
    shadowed = ShadowedLead(lead, channel, companion)
    shadowed.start()
    assert (lead.running, companion.calls) == (True, ["begin"])
    assert shadowed.resumable
    assert shadowed.can_send
    assert await shadowed.send(Frame("x")) is None
    shadowed.stop()
    assert (lead.running, companion.calls) == (False, ["begin", "end"])
