"""A handshake that cannot be read is answered and closed, whichever way connections are served."""

import pytest

from tests.endpoint.parts import bridging
from tests.endpoint.raw import closing_frame, line, socket_line, text, upgrade
from tests.support.waiting import until

BODY = "GET /metrics HTTP/1.1\r\nHost: b\r\n\r\n"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("extra", "status"),
    [
        (f"Content-Length: {len(BODY)}\r\n", b"400"),
        ("Transfer-Encoding: chunked\r\n", b"400"),
        ("X-Long: " + "a" * 20_000 + "\r\n", b"431"),
        ("X: a\r\n" * 300, b"431"),
    ],
)
async def test_an_unreadable_handshake_is_answered_once_and_closed(
    extra: str, status: bytes
) -> None:
    async with bridging() as running, line(running.authority) as client:
        client.send(upgrade(extra=extra), BODY.encode())
        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert answer.count(b"HTTP/1.1 ") == 1
        assert not running.readers


@pytest.mark.usefixtures("way", "errors")
async def test_text_that_is_not_utf8_closes_even_with_a_close_frame_behind_it() -> None:
    async with bridging() as running, socket_line(running.authority) as client:
        client.send(text(b"\xff") + closing_frame(1000))
        assert await client.close_code() in {1000, 1007}
        await until(lambda: not running.readers)
