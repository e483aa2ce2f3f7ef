"""One channel on one WebSocket, with a wire that remembers."""

import json
from typing import Any

import pytest

from bridge.endpoint.background import Background
from bridge.endpoint.batch import Form
from bridge.endpoint.budget import Seat
from bridge.endpoint.conversation import Conversation
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.subscription import Subscription
from bridge.endpoint.talk import Talk
from bridge.history.cursor import Cursor
from bridge.history.log import Gap
from bridge.wire.alias import Aliases
from bridge.wire.dialect import Dialect, DialectOptions
from bridge.wire.endings import COMPLETE, RESTART, Ending
from bridge.wire.event import END, GAP
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.endpoint.audience import Audience

NAME = ChannelName("project.1")
TELLS_HOLES = DialectOptions(gap='{"type":"hole","lost":{lost}}', subscribed="")
SILENT = DialectOptions(subscribed="")
HOLE = Gap("e1-1", Cursor("e1", 3), 2, "trimmed")


class Socket:
    """A wire; batches that are handed over whole are kept apart from single messages."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.batches: list[Any] = []
        self.said: list[str | bytes] = []
        self.closed: list[Ending] = []
        self.is_aborted = False

    def write(self, made: object) -> None:
        self.batches.append(made)

    def deliver(self, payload: str | bytes) -> None:
        self.said.append(payload)

    def close(self, ending: Ending, reason: str) -> None:
        self.closed.append(ending)

    def abort(self) -> None:
        self.is_aborted = True

    def listen(self, *, wanted: bool) -> None:
        """Nothing is read here."""

    @property
    def notices(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.said if str(each).startswith("{")]


class Talking:
    """A client that is subscribed to one channel."""

    def __init__(
        self,
        dialect: DialectOptions = SILENT,
        *,
        notices: bool = False,
        form: Form = Form.PAYLOADS,
    ) -> None:
        self.audience, self.socket = audience, socket = Audience(), Socket(form)
        gateway = Gateway(audience.hub, ClientOptions(), audience.counts, lambda: 0.5, Aliases(()))
        talk = Talk(gateway, audience.fanouts, Dialect(dialect), Joining(None), Background())
        seat = gateway.budget.enter("192.0.2.1", "", 0.0)
        assert isinstance(seat, Seat)
        self.conversation = Conversation(talk, socket, NAME, seat, notices=notices)
        self.conversation.open(None)
        socket.said.clear()  # the place at which it begins

    @property
    def subscription(self) -> Subscription:
        outlet = self.conversation.readers[NAME].outlet
        assert isinstance(outlet, Subscription)
        return outlet

    def publish(self, count: int = 1) -> None:
        self.audience.publish(count)
        self.audience.settle()

    def subscribe(self, name: str) -> None:
        self.conversation.hear(Frame(json.dumps({"type": "subscribe", "channel": name})))


@pytest.mark.parametrize("form", [Form.PAYLOADS, Form.FRAMES])
def test_a_legacy_client_gets_the_batch_as_its_wire_writes_it(form: Form) -> None:
    talking = Talking(form=form)
    talking.publish(2)
    assert talking.subscription.form is form
    assert len(talking.socket.batches) == 1
    assert talking.socket.said == []


def test_a_legacy_client_is_told_nothing_of_a_hole() -> None:
    talking = Talking()
    talking.audience.notice()
    talking.publish()
    talking.subscription.gap(HOLE)
    assert talking.socket.said == []
    assert [each["text"] for batch in talking.socket.batches for each in batch] == ["2"]


def test_a_client_that_asked_for_notices_gets_its_place_after_each_batch() -> None:
    talking = Talking(notices=True)
    talking.publish(2)
    assert talking.socket.said[:2] == ["1", "2"]
    place = {"type": "bridge.cursor", "channel": NAME.text, "id": "e1-2"}
    assert json.loads(talking.socket.said[2]) == place
    assert talking.socket.batches == []


def test_a_hole_of_the_backend_stands_between_the_events_that_it_parts() -> None:
    talking = Talking(TELLS_HOLES)
    talking.audience.publish()
    talking.audience.notice()
    talking.publish()
    assert talking.socket.said == ["1", '{"type":"hole","lost":null}', "3"]


def test_a_hole_of_the_readers_own_is_told_as_the_dialect_asks_or_as_a_notice() -> None:
    told = []
    for talking in (Talking(TELLS_HOLES), Talking(notices=True)):
        talking.subscription.gap(HOLE)
        told += talking.socket.notices
    legacy, notice = told
    assert legacy == {"type": "hole", "lost": 2}
    assert (notice["type"], notice["new"], notice["lost"]) == (GAP, "e1-3", 2)


def test_the_last_channels_end_closes_the_socket_and_lets_the_channel_go() -> None:
    talking = Talking(notices=True)
    talking.subscription.end(COMPLETE, "over")
    assert talking.socket.closed == [COMPLETE]
    assert talking.audience.channel.readers == 0
    assert (talking.socket.notices[-1]["type"], talking.socket.notices[-1]["reason"]) == (
        END,
        "over",
    )


@pytest.mark.parametrize(("ending", "closed"), [(COMPLETE, []), (RESTART, [RESTART])])
def test_one_channel_of_several_closes_the_socket_only_for_a_client_that_is_to_come_back(
    ending: Ending, closed: list[Ending]
) -> None:
    talking = Talking()
    talking.subscribe("file.f1")
    talking.subscription.end(ending, "over")
    assert talking.socket.closed == closed


def test_dropping_a_subscription_drops_the_whole_connection() -> None:
    talking = Talking()
    talking.subscription.abort()
    assert talking.socket.is_aborted
