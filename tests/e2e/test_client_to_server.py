"""What clients say reaches the backend, in order and unchanged, and they are told how it went."""

import json
from dataclasses import dataclass

import aiohttp
import pytest

from bridge.endpoint.options import ClientOptions
from bridge.wire.dialect_options import DialectOptions
from tests.support.backends import SseBackend, WsBackend
from tests.support.bridges import CHANNEL, Running, bridging, upstream_of
from tests.support.clients import SseClient, WsClient
from tests.support.waiting import until
from tests.support.ways import Wire, new_backend

WIRES: tuple[Wire, ...] = ("ws", "sse")
FRAMES = (
    '{"type":"execute","data":{"prompt":"снег ❄ 🤖"}}',
    '{ "spaced" :  1 }',
    "no JSON",
    " data: x",
    "two\nlines\r\nand a return",
    "\u2028\u0000",
    "[]",
    '{"text":"' + "long " * 20_000 + '"}',
)
SUBSCRIBE = '{"type":"subscribe","projectId":"project.1"}'


def _sent(backend: SseBackend | WsBackend) -> list[str | bytes]:
    """What clients sent; the bridge's own subscription to a socket backend is none of it."""
    raw = [received.raw for received in backend.received if received.raw != SUBSCRIBE]
    return [each.decode() if isinstance(backend, SseBackend) else each for each in raw]  # type: ignore[union-attr]


def _events_url(bridge: Running, channel: str = CHANNEL) -> str:
    return f"http://{bridge.authority}/api/v1/events/{channel}"


@dataclass(frozen=True, slots=True)
class Told:
    """How the bridge answered a POST."""

    status: int
    code: str
    retry_after: str


async def _post(bridge: Running, body: str | bytes, channel: str = CHANNEL) -> Told:
    async with (
        aiohttp.ClientSession() as session,
        session.post(_events_url(bridge, channel), data=body) as answer,
    ):
        said = await answer.json()
        return Told(answer.status, said.get("code", ""), answer.headers.get("Retry-After", ""))


@pytest.fixture(params=WIRES)
def source(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


async def test_frames_of_a_socket_reach_the_backend_in_order_and_unchanged(source: Wire) -> None:
    async with (
        new_backend(source) as backend,
        bridging(upstream_of(backend)) as bridge,
        WsClient(bridge.authority) as client,
    ):
        for frame in FRAMES:
            await client.socket.send(frame)
        await until(lambda: len(_sent(backend)) == len(FRAMES))
        assert _sent(backend) == list(FRAMES)


async def test_binary_frames_stay_bytes(source: Wire) -> None:
    async with (
        new_backend(source) as backend,
        bridging(upstream_of(backend)) as bridge,
        WsClient(bridge.authority) as client,
    ):
        await client.socket.send(b"\x00\xff\r\n")
        await until(lambda: any(each.raw == b"\x00\xff\r\n" for each in backend.received))


async def test_five_hundred_frames_at_once_keep_their_order(source: Wire) -> None:
    frames = [f'{{"type":"execute","n":{n}}}' for n in range(500)]
    async with (
        new_backend(source) as backend,
        bridging(upstream_of(backend)) as bridge,
        WsClient(bridge.authority) as client,
    ):
        for frame in frames:
            await client.socket.send(frame)
        await until(lambda: len(_sent(backend)) == len(frames), within=20)
        assert _sent(backend) == frames
        assert not client.closed


async def test_a_post_reaches_the_backend_of_a_stream_that_is_read(source: Wire) -> None:
    async with (
        new_backend(source) as backend,
        bridging(upstream_of(backend)) as bridge,
        SseClient(bridge.authority) as reader,
    ):
        for frame in FRAMES:
            assert (await _post(bridge, frame)).status == 202
        await until(lambda: len(_sent(backend)) == len(FRAMES))
        assert _sent(backend) == list(FRAMES)
        assert not reader.closed
        assert len(backend.openings) == 1  # the POSTs shared the reader's upstream


async def test_a_post_needs_no_reader(source: Wire) -> None:
    async with new_backend(source) as backend, bridging(upstream_of(backend)) as bridge:
        assert (await _post(bridge, "{}")).status == 202
        await until(lambda: _sent(backend) == ["{}"])


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [
        (202, 202, ""),
        (204, 202, ""),
        (400, 400, "bad-request"),
        (401, 401, "unauthorized"),
        (403, 403, "forbidden"),
        (404, 404, "not-found"),
        (413, 413, "too-big"),
        (429, 429, "try-later"),
        (500, 500, "internal"),
        (503, 503, "restart"),
    ],
)
async def test_a_backends_refusal_is_told_to_whoever_posted(
    status: int, told: int, code: str
) -> None:
    async with SseBackend() as backend, bridging(upstream_of(backend)) as bridge:
        backend.post_status = status
        answer = await _post(bridge, "{}")
    assert (answer.status, answer.code) == (told, code)
    assert bool(answer.retry_after) == (told in {429, 500, 503})


@pytest.mark.parametrize(
    ("status", "close"), [(403, 4403), (404, 4404), (413, 1009), (503, 1012), (500, 1011)]
)
async def test_a_backends_refusal_closes_a_socket_with_the_code_of_the_table(
    status: int, close: int
) -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend)) as bridge,
        WsClient(bridge.authority) as client,
    ):
        backend.post_status = status
        await client.socket.send("{}")
        await until(lambda: client.closed)
        assert client.socket.close_code == close


async def test_a_dialect_may_tell_of_a_refusal_and_leave_the_socket_open() -> None:
    dialect = DialectOptions(uplink_refused="frame")
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), dialect=dialect) as bridge,
        WsClient(bridge.authority) as client,
    ):
        backend.post_status = 403
        await client.socket.send("{}")
        (said,) = await client.wait_payloads(1)
        assert json.loads(said)["code"] == 4403
        backend.post_status = 202
        await client.socket.send("accepted")
        await until(lambda: _sent(backend) == ["{}", "accepted"])


async def test_a_frame_that_is_too_large_is_refused_on_both_wires() -> None:
    limits = ClientOptions(max_frame_bytes=1000)
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), client=limits) as bridge,
        WsClient(bridge.authority) as client,
    ):
        assert (await _post(bridge, "x" * 1001)).status == 413
        await client.socket.send("x" * 1001)
        await until(lambda: client.closed)
        assert client.socket.close_code == 1009
        assert (await _post(bridge, "x" * 1000)).status == 202
        assert _sent(backend) == ["x" * 1000]


async def test_a_channel_that_is_not_served_takes_nothing() -> None:
    async with SseBackend() as backend, bridging(upstream_of(backend)) as bridge:
        assert (await _post(bridge, "{}", "other.1")).status == 404
        assert (await _post(bridge, "{}", "project..%2Fadmin")).status == 404
        assert (backend.openings, backend.received) == ([], [])


async def test_a_backend_without_a_way_in_is_told_as_such() -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend, send_url="")) as bridge,
        WsClient(bridge.authority) as client,
    ):
        assert (await _post(bridge, "{}")).status == 501
        await client.socket.send("legacy clients send frames that nobody reads")
        assert not client.closed
