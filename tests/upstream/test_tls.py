"""Whom a backend's TLS connection trusts: real servers, and wrong files."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.server import ServerConnection, serve

from bridge import config
from bridge.errors import ConfigError, RelayLost
from bridge.seams import Lost, Opened, Signal
from bridge.upstream.answer import ask
from bridge.upstream.relay import RelayBackend, RelayCall
from bridge.upstream.sse import SseOptions, SseUpstream
from bridge.upstream.tls import SYSTEM, TlsOptions
from bridge.upstream.ws import WsOptions, WsUpstream
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.support.certificates import Authority, Pair, server_context
from tests.support.relays import cookieless
from tests.upstream.record import STREAM, Tally, payloads

NAME = ChannelName.parse("project.42")
Read = Callable[[str, TlsOptions], "asyncio.Future[list[Signal]]"]


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Each loop has TLS code of its own."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def server(authority: Authority) -> Pair:
    return authority.sign("server", "localhost", "127.0.0.1")


@asynccontextmanager
async def sse_server(context: ssl.SSLContext) -> AsyncIterator[str]:
    """An SSE backend by TLS, which also answers POSTs and polls; `HOST:PORT`."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"text/event-stream" in head:
            writer.write(STREAM + b"data: a\n\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"localhost:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def ws_server(context: ssl.SSLContext) -> AsyncIterator[str]:
    """A WebSocket backend by TLS; `HOST:PORT`."""

    async def meet(connection: ServerConnection) -> None:
        await connection.send("a")

    async with serve(meet, "127.0.0.1", 0, ssl=context, compression=None) as server:
        yield f"localhost:{next(iter(server.sockets)).getsockname()[1]}"


async def sse(address: str, tls: TlsOptions) -> list[Signal]:
    options = SseOptions(f"https://{address}/{{channel}}", tls=tls)
    async with aiohttp.ClientSession() as session:
        upstream = SseUpstream(options, NAME, session, lambda: 0.0, Tally())
        return [signal async for signal in upstream.open(None)]


async def ws(address: str, tls: TlsOptions) -> list[Signal]:
    options = WsOptions(f"wss://{address}/{{channel}}", tls=tls)
    upstream = WsUpstream(options, NAME, lambda: 0.0, Tally())
    return [signal async for signal in upstream.open(None)]


KINDS = pytest.mark.parametrize(("serving", "read"), [(sse_server, sse), (ws_server, ws)])


def reason(signals: list[Signal]) -> str:
    """Why there was no connection."""
    (lost,) = signals
    assert isinstance(lost, Lost)
    assert (lost.ending.name, lost.ending.reconnect) == ("bad-gateway", True)
    return lost.reason


@KINDS
async def test_a_configured_authority_is_trusted(
    serving: Callable[..., object], read: Read, authority: Authority, server: Pair
) -> None:
    async with serving(server_context(server)) as address:  # type: ignore[attr-defined]
        signals = await read(address, TlsOptions(ca_file=str(authority.certificate)))
        by_address = address.replace("localhost", "127.0.0.1")
        again = await read(by_address, TlsOptions(ca_file=str(authority.certificate)))
    assert signals[0] == again[0] == Opened()
    assert payloads(signals) == payloads(again) == ["a"]


@KINDS
async def test_an_unknown_authority_is_not(
    serving: Callable[..., object], read: Read, server: Pair, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    async with serving(server_context(server)) as address:  # type: ignore[attr-defined]
        by_system = reason(await read(address, SYSTEM))
        by_other = reason(await read(address, TlsOptions(ca_file=str(other.certificate))))
    said = "cannot reach the backend: its certificate is not accepted: "
    assert by_system == by_other == f"{said}unable to get local issuer certificate"


@KINDS
async def test_a_certificate_for_another_host_is_not_accepted(
    serving: Callable[..., object], read: Read, authority: Authority
) -> None:
    pair = authority.sign("elsewhere", "b.example")
    async with serving(server_context(pair)) as address:  # type: ignore[attr-defined]
        said = reason(await read(address, TlsOptions(ca_file=str(authority.certificate))))
    assert "its certificate is not accepted: Hostname mismatch" in said


@KINDS
async def test_an_expired_certificate_is_not_accepted(
    serving: Callable[..., object], read: Read, authority: Authority
) -> None:
    pair = authority.sign("expired", "localhost", days=-1)
    async with serving(server_context(pair)) as address:  # type: ignore[attr-defined]
        said = reason(await read(address, TlsOptions(ca_file=str(authority.certificate))))
    assert said.endswith("its certificate is not accepted: certificate has expired")


@KINDS
async def test_a_backend_that_asks_for_a_certificate_gets_the_configured_one(
    serving: Callable[..., object], read: Read, authority: Authority, server: Pair, tmp_path: Path
) -> None:
    ours, strangers = authority.sign("bridge"), Authority(tmp_path, "strangers").sign("bridge")
    ca = str(authority.certificate)
    context = server_context(server, clients=authority)
    async with serving(context) as address:  # type: ignore[attr-defined]
        known = TlsOptions(ca, str(ours.certificate), str(ours.key))
        assert payloads(await read(address, known)) == ["a"]
        wrong = TlsOptions(ca, str(strangers.certificate), str(strangers.key))
        for tls in (TlsOptions(ca), wrong):
            (lost,) = await read(address, tls)
            assert isinstance(lost, Lost)
            assert lost.ending.reconnect


async def test_posts_and_polls_trust_the_same(authority: Authority, server: Pair) -> None:
    tls = TlsOptions(ca_file=str(authority.certificate))
    async with sse_server(server_context(server)) as address, aiohttp.ClientSession() as session:
        url = f"https://{address}/"
        for trusted, expected in ((tls, None), (SYSTEM, "bad-gateway")):
            options = SseOptions(url, send_url=url, tls=trusted)
            sent = await SseUpstream(options, NAME, session, lambda: 0.0, Tally()).send(Frame("x"))
            assert (sent and sent.name) == expected
        assert (await ask(session, url, {}, deadline=5, max_bytes=100, tls=tls)).usable
        refused = await ask(session, url, {}, deadline=5, max_bytes=100)
    assert refused.fault == (
        "cannot reach the backend: its certificate is not accepted: "
        "unable to get local issuer certificate"
    )


async def test_relays_trust_the_same(authority: Authority, server: Pair) -> None:
    tls = TlsOptions(ca_file=str(authority.certificate))
    async with sse_server(server_context(server)) as address, cookieless() as session:
        url, backend = f"https://{address}/", RelayBackend(session)
        async with backend.open(RelayCall(url, tls=tls)) as answered:
            assert answered.status == 200
        with pytest.raises(RelayLost, match="the backend's certificate is not accepted"):
            async with backend.open(RelayCall(url)):
                pass


async def test_a_peer_that_speaks_no_tls_is_a_bad_gateway() -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(meet, "127.0.0.1", 0)
    async with plain:
        port = plain.sockets[0].getsockname()[1]
        assert "cannot reach the backend" in reason(await sse(f"localhost:{port}", SYSTEM))


def test_the_files_are_read_once_for_all_who_name_them(authority: Authority) -> None:
    first, second = (TlsOptions(ca_file=str(authority.certificate)) for _ in range(2))
    assert first.context() is second.context()
    assert first.context() is not SYSTEM.context()
    assert first.context().verify_mode is ssl.CERT_REQUIRED
    assert first.context().check_hostname


# Files that cannot be used.


def test_a_missing_file_is_named(tmp_path: Path, server: Pair) -> None:
    gone, there = str(tmp_path / "gone.pem"), str(server.certificate)
    mend = "cannot be read: No such file or directory; check its path and its permissions"
    for options, said in (
        ({"ca_file": gone}, f"ca_file {gone} {mend}"),
        ({"client_cert": gone}, f"client_cert {gone} {mend}"),
        ({"client_cert": there, "client_key": gone}, f"client_key {gone} {mend}"),
        ({"client_key": there}, "client_key is given without client_cert; give both"),
    ):
        with pytest.raises(ValueError, match=r".") as refusal:
            TlsOptions(**options)
        assert str(refusal.value) == said


def test_a_file_that_holds_something_else_is_named(tmp_path: Path, server: Pair) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no certificate")
    with pytest.raises(ValueError, match=r"ca_file .*notes\.txt holds no certificate; give a PEM"):
        TlsOptions(ca_file=str(text))
    with pytest.raises(ValueError, match=r"client_cert .*notes\.txt cannot be used .* give PEM"):
        TlsOptions(client_cert=str(text), client_key=str(server.key))


def test_a_key_of_another_certificate_is_told(authority: Authority, server: Pair) -> None:
    other = authority.sign("other")
    with pytest.raises(ValueError, match=r"client_key does not belong to client_cert .*server"):
        TlsOptions(client_cert=str(server.certificate), client_key=str(other.key))


def test_a_key_with_a_passphrase_asks_nobody_for_it(authority: Authority) -> None:
    locked = authority.sign("locked", passphrase=b"secret")
    with pytest.raises(ValueError, match=r"the key without a passphrase"):
        TlsOptions(client_cert=str(locked.certificate), client_key=str(locked.key))


@pytest.mark.parametrize(
    ("table", "rest"),
    [
        ("[upstream.sse]", ""),
        ("[upstream.ws]", ""),
        ("[[polls]]", 'match = ["file.*"]'),
        ("[[snapshots]]", 'match = ["file.*"]'),
        ("[[relays]]", 'path = "/x/{id}"'),
    ],
)
def test_a_configuration_that_names_a_wrong_file_says_where(
    table: str, rest: str, tmp_path: Path
) -> None:
    file = tmp_path / "bridge.toml"
    backend = 'url = "https://a.example/{id}"\ntls = { ca_file = "gone.pem" }'
    file.write_text(f"{table}\n{backend}\n{rest}\n")
    with pytest.raises(ConfigError) as refusal:
        config.load(file, {}, {})
    said = str(refusal.value)
    assert f"{table.strip('[]')}" in said
    assert "tls.ca_file: gone.pem cannot be read: No such file or directory (check its" in said
