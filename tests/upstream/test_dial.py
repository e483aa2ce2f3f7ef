"""Connections to backends: looked up, tried, and closed where they are not wanted."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from yarl import URL

from bridge.upstream.dial import Dialer
from tests.support.servers import free_port
from tests.support.waiting import until
from tests.upstream.record import raw_server


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """The bridge runs on either."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A peer that says nothing until it is left."""
    await reader.read()


async def test_names_and_addresses_are_reached() -> None:
    dialer = Dialer()
    async with raw_server(listen) as address:
        for place in (address, address.replace("127.0.0.1", "localhost")):
            transport, protocol = await dialer.dial(URL(f"http://{place}"), asyncio.Protocol)
            host, port = transport.get_extra_info("peername")[:2]
            assert f"{host}:{port}" == address
            assert isinstance(protocol, asyncio.Protocol)
            transport.abort()


async def test_an_address_where_nobody_listens_does_not_keep_from_the_next() -> None:
    ports = [free_port()]

    async def two(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

    dialer = Dialer()
    dialer._resolve = two  # type: ignore[method-assign]
    async with raw_server(listen) as address:
        ports.append(int(address.partition(":")[2]))
        transport, _ = await dialer.dial(URL("http://two.example"), asyncio.Protocol)
        assert transport.get_extra_info("peername")[1] == ports[1]
        transport.abort()


async def test_nobody_there_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match=r".") as refusal:
        await Dialer().dial(URL(f"http://127.0.0.1:{free_port()}"), asyncio.Protocol)
    assert not isinstance(refusal.value, TimeoutError)


async def test_an_unknown_name_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match=r"."):
        await Dialer().dial(URL("http://no-such-name.invalid"), asyncio.Protocol)


async def test_many_who_ask_at_once_cost_one_look_up() -> None:
    asked: list[str] = []
    dialer = Dialer()
    resolve = dialer._resolve

    async def counting(host: str, port: int) -> list[tuple[Any, ...]]:
        asked.append(host)
        return await resolve(host, port)

    dialer._resolve = counting  # type: ignore[method-assign]
    async with raw_server(listen) as address:
        url = URL(f"http://{address.replace('127.0.0.1', 'localhost')}")
        dialled = await asyncio.gather(*(dialer.dial(url, asyncio.Protocol) for _ in range(20)))
        for transport, _ in dialled:
            transport.abort()
    assert asked == ["localhost"]


async def test_one_who_gives_up_spoils_nobody_elses_look_up() -> None:
    dialer, proceed = Dialer(), asyncio.Event()
    resolve = dialer._resolve

    async def slowly(host: str, port: int) -> list[tuple[Any, ...]]:
        await proceed.wait()
        return await resolve(host, port)

    dialer._resolve = slowly  # type: ignore[method-assign]
    async with raw_server(listen) as address:
        url = URL(f"http://{address.replace('127.0.0.1', 'localhost')}")
        first, second = (asyncio.create_task(dialer.dial(url, asyncio.Protocol)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        proceed.set()
        transport, _ = await second
        assert first.cancelled()
        transport.abort()


async def test_giving_up_in_the_handshake_closes_the_connection() -> None:
    closed = asyncio.Event()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):  # the client's greeting, which nobody answers
            pass
        closed.set()

    async with raw_server(meet) as address:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await Dialer().dial(URL(f"https://{address}"), asyncio.Protocol)
        await until(closed.is_set)
