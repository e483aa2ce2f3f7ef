"""What a conversation needs holds for every socket and every bridge."""

import inspect
from dataclasses import FrozenInstanceError, fields

import pytest

from bridge.endpoint.stepped_socket import SteppedSocket
from bridge.endpoint.taken_socket import TakenSocket
from bridge.endpoint.talk import Talk, Wire
from tests.endpoint.parts import bridging

MEMBERS = [name for name in vars(Wire) if not name.startswith("_")]


def wire_of(socket: TakenSocket | SteppedSocket) -> Wire:
    """A type checker's proof that both are wires."""
    return socket


@pytest.mark.parametrize("kind", [TakenSocket, SteppedSocket])
@pytest.mark.parametrize("name", MEMBERS)
def test_a_conversation_finds_all_that_it_needs_on_either_socket(name: str, kind: type) -> None:
    assert hasattr(kind, name)


@pytest.mark.parametrize("kind", [TakenSocket, SteppedSocket])
@pytest.mark.parametrize("name", ["deliver", "close", "abort", "listen"])
def test_either_socket_is_called_in_the_same_way(name: str, kind: type) -> None:
    wanted = inspect.signature(getattr(Wire, name)).parameters
    assert list(inspect.signature(getattr(kind, name)).parameters) == list(wanted)


@pytest.mark.parametrize("kind", [TakenSocket, SteppedSocket])
def test_no_call_of_a_conversation_waits(kind: type) -> None:
    calls = [getattr(kind, name) for name in MEMBERS]
    assert not any(map(inspect.iscoroutinefunction, calls))


async def test_what_conversations_share_cannot_be_exchanged(errors: list[str]) -> None:
    async with bridging() as running:
        talk = running.bridge.talk()
        for each in fields(Talk):
            with pytest.raises(FrozenInstanceError):
                setattr(talk, each.name, None)


async def test_conversations_read_and_send_through_one_hub(errors: list[str]) -> None:
    async with bridging() as running:
        talk = running.bridge.talk()
        assert talk.gateway.hub is talk.fanouts.service.hub is running.bridge.hub
