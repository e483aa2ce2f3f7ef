"""What a configuration may name as a backend."""

import pytest

from bridge.upstream.answer import check_source
from bridge.upstream.sse import SseOptions
from bridge.upstream.target import check_headers, check_replay, check_seconds, check_url
from bridge.upstream.ws import WsOptions

WEB = ("http", "https")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/api/v1/events/{channel}",
        "https://backend.example/events?kind={kind}&id={id}",
        "http://[::1]:8000/{channel}",
        "https://backend.example",
    ],
)
def test_a_url_that_channels_can_use_is_accepted(url: str) -> None:
    check_url("url", url, WEB)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://backend.example/{project}", "unknown field {project}"),
        ("ftp://backend.example/{channel}", "begin it with http:// or https://"),
        ("backend.example/{channel}", "not a full URL"),
        ("http:///{channel}", "not a full URL"),
        ("http://:80/{channel}", "not a full URL"),
        ("http://backend.example:port/{channel}", "host or port"),
        ("http://[::1/{channel}", "host or port"),
        ("http://backend.example/a b", "percent-encode"),
        ("http://backend.example/ä", "percent-encode"),
        ("http://backend.example/\n", "percent-encode"),
        ("", "percent-encode"),
    ],
)
def test_other_urls_are_refused_with_a_remedy(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^url ") as refusal:
        check_url("url", url, WEB)
    assert said in str(refusal.value)


@pytest.mark.parametrize("host", ["{id}", "{id}.example", "a:{id}", "{id}@a.example"])
def test_no_channel_name_chooses_the_host(host: str) -> None:
    with pytest.raises(ValueError, match="host"):
        check_url("url", f"http://{host}/events", WEB)


def test_a_refusal_does_not_repeat_a_secret() -> None:
    with pytest.raises(ValueError, match="send_url") as refusal:
        check_url("send_url", "http://backend.example/?token=hunter2&x={x}", WEB)
    assert "hunter2" not in str(refusal.value)


def test_headers_that_can_be_sent_are_accepted() -> None:
    check_headers("headers", {"Authorization": "Bearer abc", "X-Empty": "", "X-Tab": "a\tb"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("", "x"), ("Bad Name", "x"), ("X:", "x"), ("X", "a\r\nY: b"), ("X", "a\0"), ("X", "\x7f")],
)
def test_headers_that_would_break_a_request_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="headers"):
        check_headers("headers", {name: value})


def test_a_refused_header_value_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="Authorization") as refusal:
        check_headers("headers", {"Authorization": "hunter2\n"})
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("header", ["Authorization", "authorization"])
def test_a_user_in_a_url_beside_an_authorization_header_is_refused(header: str) -> None:
    both, headers = "http://me:hunter2@backend.example/{channel}", {header: "hunter2"}
    for make in (
        lambda: SseOptions(both, headers=headers),
        lambda: SseOptions("http://a.example/{channel}", send_url=both, headers=headers),
        lambda: WsOptions(both, headers=headers),
        lambda: check_source(["*"], both, headers, ""),
    ):
        with pytest.raises(ValueError, match="leave one of them out") as refusal:
            make()
        assert "hunter2" not in str(refusal.value)


def test_a_user_in_a_url_or_an_authorization_header_alone_is_accepted() -> None:
    SseOptions("http://me:hunter2@backend.example/{channel}", headers={"X-A": "b"})
    WsOptions("ws://backend.example/{channel}?at=@", headers={"Authorization": "Bearer t"})


def test_replay_is_one_of_three_words() -> None:
    for word in ("auto", "trusted", "none"):
        check_replay(word)
    with pytest.raises(ValueError, match="auto, trusted, none"):
        check_replay("sometimes")


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_times_are_finite_and_not_negative(seconds: float) -> None:
    check_seconds(silence=0, other=1.5)
    with pytest.raises(ValueError, match="silence"):
        check_seconds(silence=seconds)
