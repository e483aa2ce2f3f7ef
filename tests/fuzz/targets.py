"""What is fuzzed: functions of any bytes, each of which says what holds for all of them.

Hypothesis feeds them in the test suite (`test_targets`), coverage guides them in `make fuzz`. A
target that raises has found something; that a parser refuses its input is no finding.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from websockets.http11 import Request
from websockets.server import ServerProtocol

from bridge.config import load
from bridge.endpoint.credentials import Names, first_of, head_of, without
from bridge.endpoint.grant import Refusal
from bridge.endpoint.handshake import handshake, shared_deflate
from bridge.endpoint.head import ordinary
from bridge.endpoint.keys import shared
from bridge.endpoint.tokens import Tokens
from bridge.errors import ConfigError, EventTooLarge, InvalidChannel
from bridge.history.cursor import Cursor
from bridge.seams import Got, Lost
from bridge.upstream.frames import FrameReading
from bridge.upstream.reading import Reading
from bridge.upstream.response import Response
from bridge.wire.dialect import Command, Dialect, DialectOptions, Subscribe
from bridge.wire.frame import Frame
from bridge.wire.framing import Boundary
from bridge.wire.names import MAX_LENGTH, ChannelName, expand
from bridge.wire.routes import DEFAULT_ROUTES, channel_of
from bridge.wire.sse import Decoder, encode
from tests.endpoint.test_head import Heard
from tests.support.issuers import SECRET, options
from tests.wire.event_streams import cut, read, reference

Target = Callable[[bytes], None]
TARGETS: dict[str, Target] = {}
SEEDS: dict[str, tuple[bytes, ...]] = {}
"""Good input of each target, from which bad input is made."""

HIDDEN = "s3cr3t-of-the-environment"


def target(*seeds: bytes) -> Callable[[Target], Target]:
    """List a target with good input of it."""

    def listed(function: Target) -> Target:
        TARGETS[function.__name__] = function
        SEEDS[function.__name__] = seeds
        return function

    return listed


def halves(data: bytes) -> tuple[bytes, bytes]:
    """Two inputs out of one, which the first NUL parts."""
    first, _, second = data.partition(b"\0")
    return first, second


def pieces(data: bytes) -> list[bytes]:
    """The input in pieces whose sizes follow from it."""
    return cut(data, [each % 8 for each in data[:40]])


@target(b"id: 1\nevent: a\0\ndata: b\n\n", "data: a€\r\n\r\n".encode(), b"retry: 10\r\rdata\r\r")
def event_stream(data: bytes) -> None:
    """The codec reads what the standard says, however it is cut, and writes what it reads."""
    found = reference(data)
    assert read(pieces(data)) == found
    for event in found.events:
        again = read([encode(event.data, event=event.event, id=event.id)]).events
        assert [(each.data, each.event, each.id) for each in again] == [
            (event.data.replace("\r", "\n"), event.event, event.id)
        ]
    decoder = Decoder(max_event_bytes=16)
    try:
        for piece in pieces(data):
            decoder.feed(piece)
    except EventTooLarge:
        assert len(data) > 16


@target(
    b"id: 1\ndata: a\n\n",
    b"id: 1\n\ndata: a\n\n",
    b'event: bridge.gap\ndata: {"lost":2}\n\n',
    b"event: bridge.end\n\n",
)
def backend_stream(data: bytes) -> None:
    """What a backend's stream means does not depend on how it is cut."""
    assert _meant(pieces(data)) == _meant([data])


def _meant(chunks: list[bytes]) -> list[object]:
    """Events and holes, and the end, which nothing follows."""
    reading = Reading(None, lambda: 0.0, max_event_bytes=1 << 20)
    meant: list[object] = []
    for signal in (signal for chunk in chunks for signal in reading.take(chunk)):
        if isinstance(signal, Got):
            meant += [] if signal.missed is None else [signal.missed]
            meant += signal.events
        elif isinstance(signal, Lost):
            return [*meant, signal]
    return meant


@target(b'{"type":"ping"}', b"ping", b'{"n":1}', b'{"type":"subscribed"}', b"\xff")
def backend_frame(data: bytes) -> None:
    """A backend's frame is an event as it came, or a word of the dialect."""
    for raw in _messages(data):
        for field in ("", "n"):
            reading = FrameReading(
                None,
                lambda: 0.0,
                acknowledgement={"type": "subscribed"},
                pings={"type": "ping"},
                resume_field=field,
            )
            got, _ = reading.take([raw])
            assert [event.data for event in got.events] in ([raw], [])


@target(
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nab\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
)
def backend_response(data: bytes) -> None:
    """A backend's response is read alike however it is cut, or is none."""
    whole, parts = Response(), Response()
    body = whole.feed(data)
    if whole.fault or whole.status == 101:
        return
    assert b"".join(parts.feed(piece) for piece in pieces(data)) == body
    assert (parts.status, parts.complete, parts.fault) == (whole.status, whole.complete, "")
    assert list(parts.headers.items()) == list(whole.headers.items())


HEAD = b"GET /api/v1/events/project.1?a=b HTTP/1.1\r\nHost: b\r\nAccept: text/event-stream\r\n\r\n"
SHAKE = (
    b"GET /api/v1/ws/project.1 HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: bearer, a\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)


@target(HEAD, SHAKE, SHAKE.replace(b"websocket", b""))
def request_head(data: bytes) -> None:
    """Whoever takes a head at one go reads it as a complete parser does."""
    head = ordinary(data)
    if head:
        heard = Heard(data)
        assert heard.complete == 1
        assert heard.fields == list(head.fields)
        assert heard.keep_alive == head.keep_alive
        assert heard.upgraded_at == (len(data) if head.upgrade else 0)
        assert heard.url.partition(b"?")[::2] == (head.raw_path, head.query)


@target(SHAKE)
def opening_handshake(data: bytes) -> None:
    """A handshake that is answered at once is one to a complete implementation, which agrees."""
    head = ordinary(data)
    shake = handshake(head, shared_deflate()) if head else None
    if shake is None:
        return
    answer = shake.answer([], None)
    server = ServerProtocol(extensions=[shared_deflate()], max_size=None)
    server.receive_data(data)
    (request,) = server.events_received()
    assert isinstance(request, Request)
    response = server.accept(request)
    assert response.status_code == 101, response.body
    fields = dict(line.split(b": ", 1) for line in answer.split(b"\r\n")[1:-2])
    assert fields[b"Sec-WebSocket-Accept"].decode() == response.headers["Sec-WebSocket-Accept"]
    agreed = response.headers.get("Sec-WebSocket-Extensions", "")
    assert fields.get(b"Sec-WebSocket-Extensions", b"").decode() == agreed


@target(b"\x81\x82\0\0\0\0hi", b"\x01\x80\0\0\0\0\x89\x80\0\0\0\0\x80\x80\0\0\0\0", b"\x82\xfe\1\0")
def frame_boundary(data: bytes) -> None:
    """Where messages end does not depend on how their bytes are cut."""
    whole, parts = Boundary(), Boundary()
    whole.feed(data)
    for piece in pieces(data):
        parts.feed(piece)
    assert parts.reached == whole.reached


@target(b"project.1", b"a..b", b"%2e%2e/", b"file.9-f_~@:+=,")
def channel_path(data: bytes) -> None:
    """A name is what it says in a backend's URL, and nothing of it leads elsewhere."""
    text = data.decode("latin-1")
    for path in (text, unquote(text)):
        name = _named(path)
        if name is None:
            continue
        assert (name.text, len(name.text) <= MAX_LENGTH) == (path, True)
        assert not {"/", "\\", "%", "?", "#", "\r", "\n", " "} & set(path)
        assert all(path.split("."))
        segment = expand("/x/{channel}", name).removeprefix("/x/")
        assert "/" not in segment
        assert unquote(segment) == path
        for route in DEFAULT_ROUTES:
            assert channel_of(route, {"channel": path}) in (name, None)


REASONS = frozenset(
    {
        f"a channel name has at most {MAX_LENGTH} characters",
        "a channel name is dotted words, such as project.42",
    }
)
"""Nothing of a hostile name is said again."""


def _named(path: str) -> ChannelName | None:
    try:
        return ChannelName.parse(path)
    except InvalidChannel as refused:
        told = str(refused)
    assert told in REASONS
    return None


@target(b"e1-17", b"a-007", b"-1", b"x-99999999999999999999")
def cursor(data: bytes) -> None:
    """A cursor is read as it is written, or is none."""
    found = Cursor.parse(data.decode("latin-1"))
    if found:
        assert Cursor.parse(str(found)) == found
        assert len(str(found)) <= 52


NAMES = Names(frozenset({"header", "query", "cookie", "subprotocol", "ticket"}), "t", "t")


@target(b"t=abc&x=%20\0t=abc; u=v", b"ticket=1&%74=2\0Bearer abc", b"a&&=;t\0Basic x")
def credential(data: bytes) -> None:
    """No line begins in a credential, and none is left in the query of the one that is judged."""
    query, field = halves(data)
    fields = [(b"authorization", field), (b"cookie", field)]
    offered = field.decode("latin-1").split(",")
    for headers in (fields, fields[1:]):
        scope: dict[str, Any] = {"query_string": query, "headers": headers, "subprotocols": offered}
        found = NAMES.read(scope, head_of(scope))
        assert not set("\r\n\0") & set(found.authorization + found.cookies)
        NAMES.clean(scope)
        assert not first_of(scope["query_string"], "t")
    assert first_of(without(query, {"ticket"}), "ticket") == ""


@target(b'{"type":"subscribe","channel":"project.1"}', b'{"type":"ping"}', b"[1]", b'{"a":')
def uplink_body(data: bytes) -> None:
    """A client's frame is a word of the dialect or goes to the backend exactly as it came."""
    for raw in _messages(data):
        for dialect in _dialects():
            meaning = dialect.read(Frame(raw), ChannelName("project.1"))
            if isinstance(meaning, Command):
                assert meaning.frame.raw == raw
            elif isinstance(meaning, Subscribe):
                assert [ChannelName.parse(name.text) for name in meaning.names] == list(
                    meaning.names
                )
                assert meaning.reply is None or json.loads(meaning.reply) is not None


@cache
def _dialects() -> tuple[Dialect, ...]:
    said = '{"type":"ok","channel":"{channel}"}'
    return Dialect(), Dialect(DialectOptions(subscribed=said, by_key=True, nested=("data",)))


@cache
def _tokens() -> Tokens:
    verifier = Tokens(options(), str, lambda: 0.0, time.time)
    verifier.use([shared(SECRET)])
    return verifier


@target(b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.AAAA", b"eyJhbGciOiJub25lIn0.e30.", b"..")
def bearer_token(data: bytes) -> None:
    """Without the key nobody makes a token."""
    assert isinstance(_tokens().verify(data.decode("latin-1")), Refusal)


FILE = (
    b"port = 1\nchannels = ['*']\n[upstream.sse]\nurl = 'http://b/{channel}'\n"
    b"headers = { Authorization = 'Bearer ${TOKEN}' }\n[history]\nmax_events = 5\n"
)
_VARIABLES = ("PORT", "CHANNELS", "UPSTREAM__SSE__URL", "HISTORY__MAX_EVENTS", "ROUTES", "ENVELOPE")


@target(FILE, FILE + b"\0" + b"7", b"[auth]\nmode='jwt'\n[auth.jwt]\nsecret='${TOKEN}'\n\0[]")
def config_text(data: bytes) -> None:
    """Whatever a file and the environment say, it is a configuration or a list of mistakes.

    No mistake shows what came from the environment by `${NAME}`.
    """
    text, value = halves(data)
    path = _folder() / "bridge.toml"
    path.write_bytes(text)
    for environ in _environments(value):
        said = _loaded(path, environ)
        assert HIDDEN not in said


def _loaded(path: Path, environ: Mapping[str, str]) -> str:
    """What is told of a configuration: its backends, masked, or its mistakes."""
    try:
        found = load(path, environ=environ)
    except ConfigError as refused:
        return str(refused)
    return found.mask(str(found.upstream))


def _environments(value: bytes) -> Iterator[Mapping[str, str]]:
    environ = {"TOKEN": HIDDEN}
    yield environ
    said = value.decode("utf-8", "surrogateescape")
    if said:
        for name in _VARIABLES:
            yield environ | {f"WS2SSE_{name}": said}


@cache
def _folder() -> Path:
    """Lives as long as the process."""
    kept = tempfile.TemporaryDirectory(prefix="ws2sse-fuzz-")
    _KEPT.append(kept)
    return Path(kept.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _messages(data: bytes) -> Iterator[str | bytes]:
    """The message as a binary one, and as text if it is any."""
    yield data
    with suppress(UnicodeDecodeError):
        yield data.decode()
