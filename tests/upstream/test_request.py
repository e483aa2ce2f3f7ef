"""The bytes of a GET, and where its redirects may lead."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict
from yarl import URL

from bridge.upstream.request import Moved, credentials, get_request, moved


def test_a_get_names_its_host_and_path_as_they_are_written() -> None:
    url = URL("http://a.example:81/x%2Fy?q=%7B#f", encoded=True)
    said = get_request(url, CIMultiDict({"Accept": "text/event-stream", "X": "ü"}))
    head, end, body = said.decode().partition("\r\n\r\n")
    assert head.split("\r\n") == [
        "GET /x%2Fy?q=%7B HTTP/1.1",
        "Host: a.example:81",
        "User-Agent: ws2sse",
        "Accept: text/event-stream",
        "X: ü",
    ]
    assert (end, body) == ("\r\n\r\n", "")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://a.example:80/", "a.example"),
        ("wss://a.example:443/", "a.example"),
        ("https://a.example:80/", "a.example:80"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("http://u:p@a.example/", "a.example"),
    ],
)
def test_the_host_field_has_the_port_that_is_not_the_schemes(url: str, host: str) -> None:
    said = get_request(URL(url), CIMultiDict())
    assert f"\r\nHost: {host}\r\n".encode() in said


def test_a_configured_field_wins_over_the_bridges_own() -> None:
    said = get_request(URL("http://a.example"), CIMultiDict({"user-agent": "x", "HOST": "b"}))
    assert said.count(b"\r\n") == 4
    assert b"user-agent: x" in said
    assert b"HOST: b" in said


def test_a_user_in_a_url_is_a_basic_credential() -> None:
    assert credentials(URL("http://a.example/")) == {}
    assert credentials(URL("http://u%40x:p@a.example/")) == {"Authorization": "Basic dUB4OnA="}
    assert credentials(URL("http://u@a.example/")) == {"Authorization": "Basic dTo="}


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("http://a.example/x", "/y?z=%2F", "http://a.example/y?z=%2F"),
        ("http://a.example/x/", "y", "http://a.example/x/y"),
        ("http://a.example/x", "http://a.example:80/y", "http://a.example:80/y"),
        ("http://a.example/x", "http://A.EXAMPLE/y", "http://A.EXAMPLE/y"),
        ("ws://a.example/x", "http://a.example/y", "ws://a.example/y"),
        ("wss://a.example/x", "https://a.example/y", "wss://a.example/y"),
        ("wss://a.example/x", "/y", "wss://a.example/y"),
    ],
)
def test_a_redirect_within_the_origin_is_taken(url: str, location: str, target: str) -> None:
    assert moved(302, {"Location": location}, URL(url)) == Moved(URL(target, encoded=True))


@pytest.mark.parametrize(
    ("url", "status", "location"),
    [
        ("http://a.example/", 200, "/y"),
        ("http://a.example/", 304, "/y"),
        ("http://a.example/", 302, ""),
        ("http://a.example/", 302, "/a b"),
        ("http://a.example/", 302, "/\xfc"),
        ("http://a.example/", 302, "http://["),
        ("http://a.example/", 302, "http://a.example:99999/"),
        ("http://a.example/", 302, "mailto:a@a.example"),
        ("http://a.example/", 302, "//b.example/"),
        ("http://a.example/", 302, "http://a.example:81/"),
        ("http://a.example/", 302, "https://a.example/"),
        ("https://a.example/", 302, "http://a.example/"),
        ("http://a.example/", 302, "ws://a.example/"),
        ("wss://a.example/", 302, "ws://a.example/"),
        ("wss://a.example/", 302, "http://a.example/"),
    ],
)
def test_a_redirect_elsewhere_is_not(url: str, status: int, location: str) -> None:
    assert moved(status, {"Location": location}, URL(url)) is None
