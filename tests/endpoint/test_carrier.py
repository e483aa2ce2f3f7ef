"""One client's frames on their way up: in order, one at a time, and never more than fit."""

import asyncio
from dataclasses import dataclass, field

from bridge.endpoint.background import Background
from bridge.endpoint.carrier import REFUSED, Carrier, Permit
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.grant import NOT_TO_SEND, Refusal
from bridge.endpoint.options import ClientOptions
from bridge.hub.channel import Channel, ChannelKey
from bridge.seams import Unmetered
from bridge.wire.alias import Aliases
from bridge.wire.endings import FORBIDDEN, Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.endpoint.clockwork import Time
from tests.hub.parts import IdleLead, World
from tests.support.waiting import until

NAME = ChannelName("project.1")
QUEUE = 3


@dataclass
class Backend(World):
    """A hub whose upstream answers when the test says so; it refuses the frame `bad`."""

    opening: asyncio.Event = field(default_factory=asyncio.Event)
    began: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def _source(self, channel: Channel) -> IdleLead:
        return Lead(channel, backend=self)


@dataclass
class Lead(IdleLead):
    """The upstream of one channel."""

    backend: Backend = field(kw_only=True)

    def start(self) -> None:
        super().start()
        self.downstream.opened()

    async def send(self, frame: Frame) -> Ending | None:
        said = str(frame.raw)
        self.backend.began.append(said)
        await self.backend.opening.wait()
        if said == "bad":
            return FORBIDDEN
        self.backend.taken.append(said)
        return None


class Client:
    """A socket that frames come from.

    Attributes:
        waiting: how many frames waited each time that it was read again.
    """

    def __init__(self, *, closes: bool = False) -> None:
        self.backend, self.background, self.time = Backend(), Background(), Time()
        self.is_read, self.closes = True, closes
        self.waiting: list[int] = []
        self.refusals: list[tuple[Ending, str]] = []
        options = ClientOptions(uplink_queue=QUEUE, send_timeout=2.0)
        gateway = Gateway(self.backend.hub, options, Unmetered(), lambda: 0.5, Aliases(()))
        self.carrier = Carrier(gateway, self.background, self, self._refused)

    def listen(self, *, wanted: bool) -> None:
        self.is_read = wanted
        if wanted:
            self.waiting.append(len(self.carrier._frames))

    def say(self, *frames: str) -> None:
        for each in frames:
            self.carrier.put(ChannelKey(NAME), Frame(each))

    def ask(self, frame: str, permit: Permit) -> None:
        self.carrier.put(ChannelKey(NAME), Frame(frame), permit)

    async def rest(self) -> None:
        await until(lambda: not self.background._tasks)

    def _refused(self, ending: Ending, reason: str) -> None:
        self.refusals.append((ending, reason))
        if self.closes:
            self.carrier.drop()


async def test_frames_go_one_after_the_other_in_their_order() -> None:
    client = Client()
    client.say("a", "b")
    await until(lambda: client.backend.began)
    assert client.backend.began == ["a"]
    client.backend.opening.set()
    await client.rest()
    assert client.backend.taken == ["a", "b"]


async def test_there_is_a_task_only_while_there_are_frames() -> None:
    client = Client()
    client.backend.opening.set()
    for each in ("a", "b"):
        client.say(each)
        assert len(client.background._tasks) == 1
        await client.rest()
    assert client.backend.taken == ["a", "b"]


async def test_a_client_that_outruns_its_backend_is_not_read_until_there_is_room() -> None:
    client = Client()
    client.say("a", "b")
    states = [client.is_read]
    client.say("c")
    states.append(client.is_read)
    client.backend.opening.set()
    await client.rest()
    assert [*states, client.is_read] == [True, False, True]


async def test_a_burst_of_one_read_is_worked_off_before_the_client_is_read_again() -> None:
    client = Client()
    client.say(*"abcdefgh")
    client.backend.opening.set()
    await client.rest()
    assert client.waiting == [2, 1, 0]


async def test_a_refusal_is_told_and_the_next_frame_goes_on() -> None:
    client = Client()
    client.backend.opening.set()
    client.say("bad", "b")
    await client.rest()
    assert client.refusals == [(FORBIDDEN, REFUSED)]
    assert client.backend.taken == ["b"]


async def test_a_socket_that_is_closed_for_a_refusal_sends_nothing_that_followed() -> None:
    client = Client(closes=True)
    client.backend.opening.set()
    client.say("a", "bad", "b")
    await client.rest()
    assert client.backend.taken == ["a"]


async def test_what_a_client_said_before_it_left_still_goes_out() -> None:
    client = Client()
    client.say("a", "b")
    client.carrier.finish(client.time.wheel)
    client.backend.opening.set()
    await client.rest()
    assert client.backend.taken == ["a", "b"]
    client.time.move(5.0)  # the deadline finds nothing to cancel


async def test_a_backend_that_takes_nothing_is_waited_for_within_bounds() -> None:
    client = Client()
    client.say("a", "b")
    await until(lambda: client.backend.began)
    client.carrier.finish(client.time.wheel)
    client.time.move(1.0)
    assert client.background._tasks
    client.time.move(5.0)
    await client.rest()
    assert client.backend.taken == []
    assert client.backend.hub.statistics().readers == 0


async def test_a_client_that_leaves_with_nothing_under_way_leaves_no_timer() -> None:
    client = Client()
    client.carrier.finish(client.time.wheel)
    assert client.time.standing == []


async def test_a_frame_waits_for_its_permit_and_the_others_behind_it() -> None:
    client, gate = Client(), asyncio.Event()
    client.backend.opening.set()

    async def refuse() -> Refusal | None:
        await gate.wait()
        return NOT_TO_SEND

    client.ask("a", refuse)
    client.say("b")
    assert client.backend.began == []
    gate.set()
    await client.rest()
    assert client.refusals == [(NOT_TO_SEND.ending, NOT_TO_SEND.reason)]
    assert client.backend.taken == ["b"]


async def test_a_frame_that_is_dropped_while_its_permit_is_asked_for_is_not_carried() -> None:
    client, gate, asked = Client(), asyncio.Event(), asyncio.Event()
    client.backend.opening.set()

    async def allow() -> Refusal | None:
        asked.set()
        await gate.wait()
        return None

    client.ask("a", allow)
    await asked.wait()
    client.carrier.drop()
    gate.set()
    await client.rest()
    assert (client.backend.taken, client.refusals) == ([], [])
