"""`bridge.demo.watch`: the built-in clients, here straight at a backend that speaks both wires."""

import anyio

from bridge.demo import script
from bridge.demo.backend import Backend
from bridge.demo.compare import Heard
from bridge.demo.watch import Clients
from bridge.wire.event import GAP
from bridge.wire.sse import ServerSentEvent
from tests.support.ports import reserved_port

RENDER = [step.text for step in script.render(1)]


def _clients(authority: str, heard: list[Heard], *, channel: str = script.CHANNEL) -> Clients:
    return Clients(
        f"ws://{authority}/api/v1/ws/{script.CHANNEL}",
        f"http://{authority}/api/v1/events/{channel}",
        heard.append,
        lambda: None,
    )


async def test_both_clients_hear_every_word() -> None:
    backend, heard = Backend(500), list[Heard]()
    async with backend.running() as authority, anyio.create_task_group() as tasks:
        clients = _clients(authority, heard)
        tasks.start_soon(clients.run)
        with anyio.fail_after(10):
            await clients.connected.wait()
            await backend.render(1)
            while len(heard) < 2 * len(RENDER):
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert [each.text for each in heard if each.wire == "ws"] == RENDER
    assert [each.text for each in heard if each.wire == "sse"] == RENDER
    assert heard[0].id + heard[1].id == "1"  # of the event stream alone


async def test_a_crash_ends_the_watch_with_a_reason() -> None:
    backend = Backend(500)
    async with backend.running() as authority, anyio.create_task_group() as tasks:
        clients = _clients(authority, [])
        tasks.start_soon(clients.run)
        with anyio.fail_after(10):
            await clients.connected.wait()
            assert clients.lost == ""
            await backend.restart(0)
    assert "client lost its connection: " in clients.lost


async def test_a_refused_connection_ends_the_watch() -> None:
    with reserved_port() as port, anyio.fail_after(10):
        clients = _clients(f"127.0.0.1:{port}", [])
        await clients.run()
    assert clients.lost
    assert not clients.connected.is_set()


async def test_an_unknown_channel_ends_the_watch() -> None:
    async with Backend().running() as authority:
        clients = _clients(authority, [], channel="project.other")
        with anyio.fail_after(10):
            await clients.run()
    assert clients.lost.startswith("the EventSource client lost its connection: 404")


def test_a_told_gap_is_passed_on_and_a_heartbeat_is_not() -> None:
    heard, gaps = list[Heard](), list[bool]()
    clients = Clients("", "", heard.append, lambda: gaps.append(True))
    clients._take(ServerSentEvent("{}", GAP, "e-1"))
    clients._take(ServerSentEvent("{}", "bridge.ping", "e-1"))
    clients._take(ServerSentEvent("x", "message", "e-2"))
    assert (heard, gaps) == ([Heard("sse", "x", "e-2")], [True])
