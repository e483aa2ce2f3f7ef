"""What an event becomes for WebSocket clients is made once."""

from bridge.endpoint.outgoing import KEPT, LARGEST, remembered
from bridge.wire.event import Event
from bridge.wire.mapping import EnvelopeOptions
from bridge.wire.names import ChannelName
from tests.endpoint.parts import bridging, said, streaming, talking, upstream_of
from tests.support.backends import SseBackend
from tests.support.waiting import until

NAME = ChannelName("project.1")


class Made:
    """A mapping that counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, event: Event, name: ChannelName) -> tuple[str | bytes, ...]:
        self.count += 1
        return (f"{name}:{event.data!s}",)


def test_many_clients_cost_one_making() -> None:
    made = Made()
    outgoing = remembered(made)
    assert [outgoing(Event("a"), NAME) for _ in range(3)] == [("project.1:a",)] * 3
    assert made.count == 1


def test_channels_are_told_apart() -> None:
    outgoing = remembered(Made())
    assert outgoing(Event("a"), NAME) != outgoing(Event("a"), ChannelName("project.2"))


def test_a_large_event_is_not_kept() -> None:
    made = Made()
    outgoing = remembered(made)
    for _ in range(2):
        outgoing(Event("x" * (LARGEST + 1)), NAME)
    assert made.count == 2


def test_what_is_kept_has_a_bound() -> None:
    made = Made()
    outgoing = remembered(made)
    for number in (*range(KEPT + 1), 0):
        outgoing(Event(str(number)), NAME)
    assert made.count == KEPT + 2


async def test_a_named_event_is_wrapped_for_sockets_and_stays_named_on_streams(
    errors: list[str],
) -> None:
    wrap = EnvelopeOptions(wrap='{"type":"{event}","object":{data}}', add={"channel": "{id}"})
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), envelope=wrap) as running,
        talking(running.authority) as socket,
        streaming(running.authority) as stream,
    ):
        await stream.block()
        await until(lambda: backend.subscribers("project.1") and running.readers == 2)
        backend.publish("project.1", '{"a":1}', event="status")
        assert await said(socket) == '{"type":"status","object":{"channel":"1","a":1}}'
        event = await stream.event()
        assert (event.event, event.data) == ("status", '{"channel":"1","a":1}')


async def test_unchanged_payloads_are_not_kept_at_all() -> None:
    async with bridging() as running:
        assert running.bridge.outgoing == running.bridge.mapping.outgoing
