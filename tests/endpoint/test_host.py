"""A request names one host, once and legibly."""

import pytest

from bridge.endpoint.host import names_one_host
from tests.endpoint.parts import bridging
from tests.endpoint.raw import KEY, line


def _scope(*hosts: bytes, version: str = "1.1") -> dict[str, object]:
    headers = [(b"accept", b"*/*"), *((b"host", host) for host in hosts)]
    return {"type": "http", "http_version": version, "headers": headers}


@pytest.mark.parametrize(
    "host", [b"a", b"a.example:8080", b"127.0.0.1", b"[::1]:80", b"[::1]", b"", b"a_b-c.d:"]
)
def test_one_legible_host_will_do(host: bytes) -> None:
    assert names_one_host(_scope(host))


@pytest.mark.parametrize(
    "host", [b"a b", b"a/b", b"a@b", b'"><script>', b"a:b", b"[::1", b"a\xff", b"a,b:1:2", b"a?"]
)
def test_an_illegible_host_will_not(host: bytes) -> None:
    assert not names_one_host(_scope(host))


def test_several_or_none_will_not_but_for_old_clients() -> None:
    assert not names_one_host(_scope(b"a", b"a"))
    assert not names_one_host(_scope())
    assert names_one_host(_scope(version="1.0"))
    assert not names_one_host(_scope(b"a", b"b", version="1.0"))


@pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: b\r\n", "Host: a/b\r\n"])
@pytest.mark.parametrize(
    "rest",
    [
        "GET /healthz HTTP/1.1\r\n",
        "GET /api/v1/events/project.1 HTTP/1.1\r\nAccept: text/event-stream\r\n",
        f"GET /api/v1/ws/project.1 HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{KEY}",
    ],
)
async def test_a_request_without_one_is_refused_on_both_wires(rest: str, hosts: str) -> None:
    async with bridging() as running, line(running.authority) as client:
        client.send(f"{rest}{hosts}\r\n".encode())
        assert (await client.until(b"\r\n")).startswith(b"HTTP/1.1 400 ")
        assert not running.readers
