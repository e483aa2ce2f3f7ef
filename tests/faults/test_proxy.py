"""The proxy of the fault tests: each fault does what it says, at the byte where it says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.places import at_offset, at_pattern
from tests.faults.proxy import Fault, FaultProxy, Kind
from tests.support.waiting import until

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FIRST, SECOND = b'7\r\n{"n":1}\r\n', b'7\r\n{"n":2}\r\n'
ANSWER = HEAD + FIRST + SECOND


class Origin:
    """Answers every request alike and keeps the connection open."""

    def __init__(self) -> None:
        self.asked = bytearray()
        self.gone = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked += await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            while chunk := await reader.read(1024):
                self.asked += chunk
        except OSError:
            pass
        finally:
            self.gone += 1
            writer.close()


@asynccontextmanager
async def proxied() -> AsyncIterator[tuple[Origin, FaultProxy]]:
    origin = Origin()
    server = await asyncio.start_server(origin.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with FaultProxy(f"127.0.0.1:{port}") as proxy:
        yield origin, proxy
    server.close()


async def _ask(
    proxy: FaultProxy, path: str = "/stream"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(*proxy.authority.split(":"))
    writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
    return reader, writer


async def test_what_no_script_names_passes_unharmed() -> None:
    async with proxied() as (origin, proxy):
        proxy.script("other", Fault(Kind.CUT, at_offset(0)))
        reader, writer = await _ask(proxy)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.write(b"more")
        await until(lambda: origin.asked.endswith(b"more"))
        writer.close()
        await until(lambda: origin.gone)


@pytest.mark.parametrize("length", [0, 1, len(HEAD), len(ANSWER) - 1])
async def test_a_cut_ends_the_stream_after_exactly_so_many_bytes(length: int) -> None:
    async with proxied() as (origin, proxy):
        proxy.script("stream", Fault(Kind.CUT, at_offset(length)))
        reader, writer = await _ask(proxy)
        assert await reader.read() == ANSWER[:length]
        writer.close()
        await until(lambda: origin.gone)
        assert proxy.struck["stream"] == 1


async def test_a_reset_is_an_error_to_the_reader() -> None:
    async with proxied() as (_, proxy):
        proxy.script("stream", Fault(Kind.RESET, at_offset(5)))
        reader, writer = await _ask(proxy)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_a_stall_holds_the_rest_back_and_ends_nothing() -> None:
    async with proxied() as (origin, proxy):
        proxy.script("stream", Fault(Kind.STALL, at_pattern(b'"n":2', 1)))
        reader, writer = await _ask(proxy)
        before = ANSWER.index(b'"n":2') + 1
        assert await reader.readexactly(before) == ANSWER[:before]
        await until(lambda: proxy.struck["stream"])
        assert not reader.at_eof()
        assert proxy.open_links("stream") == 1
        writer.close()
        assert await reader.read() == b""
        await until(lambda: origin.gone)


@pytest.mark.parametrize("kind", [Kind.DELAY, Kind.SPLIT])
async def test_what_comes_late_or_in_pieces_comes_whole(kind: Kind) -> None:
    async with proxied() as (_, proxy):
        proxy.script("stream", Fault(kind, at_offset(9), seconds=0.01))
        reader, writer = await _ask(proxy)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        assert proxy.struck["stream"] == 1
        writer.close()


async def test_a_repetition_puts_whole_messages_into_the_next_connection() -> None:
    async with proxied() as (_, proxy):
        proxy.script("stream", Fault(Kind.REPEAT, at_offset(len(ANSWER) - 3), repeated=1))
        reader, writer = await _ask(proxy)
        assert await reader.read() == ANSWER[:-3]
        writer.close()
        reader, writer = await _ask(proxy)
        expected = HEAD + FIRST + FIRST + SECOND
        assert await reader.readexactly(len(expected)) == expected
        writer.close()


async def test_asking_twice_repeats_the_request() -> None:
    async with proxied() as (origin, proxy):
        proxy.script("stream", Fault(Kind.ASK_TWICE, at_offset(0)))
        _, writer = await _ask(proxy)
        await until(lambda: bytes(origin.asked) == b"GET /stream HTTP/1.1\r\n\r\n" * 2)
        writer.close()


async def test_a_script_goes_by_the_order_of_connections_and_ends() -> None:
    async with proxied() as (_, proxy):
        proxy.script("stream", None, Fault(Kind.CUT, at_offset(4)))
        answers = []
        for _ in range(3):
            reader, writer = await _ask(proxy, "/a/stream?q=1")
            first = await reader.readexactly(4)
            answers.append(first if proxy.struck["stream"] else first + await reader.read(4))
            writer.close()
        assert [len(answer) for answer in answers] == [8, 4, 4]
        assert proxy.struck["stream"] == 1


async def test_all_connections_of_a_key_can_be_cut_at_any_time() -> None:
    async with proxied() as (origin, proxy):
        reader, writer = await _ask(proxy)
        await reader.readexactly(len(ANSWER))
        proxy.cut("stream")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        await until(lambda: origin.gone and not proxy.open_links("stream"))
