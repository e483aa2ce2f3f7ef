"""What `ws2sse check` says."""

from collections.abc import Mapping
from typing import Any

import pytest

from bridge.config import explain, load

BOTH = {
    "sse": {"url": "http://127.0.0.1:9000/events/{channel}"},
    "ws": {"url": "ws://127.0.0.1:9001/ws/{channel}"},
}


def lines(**settings: Any) -> list[str]:
    return explain(load(None, {"upstream": {"sse": BOTH["sse"]}} | settings, {}))


def about(topic: str, said: list[str]) -> str:
    return "\n".join(line for line in said if line.startswith(topic))


def warnings(**settings: Any) -> str:
    return about("warning", lines(**settings))


def test_it_ends_with_ok_and_warns_of_nothing_by_default() -> None:
    assert lines()[-1] == "OK"
    assert warnings() == ""


def test_it_says_where_it_listens() -> None:
    assert "http://127.0.0.1:8080" in about("listen", lines())
    assert "http://[::1]:8080" in about("listen", lines(host="::1"))
    assert "127.0.0.1, on a port that the kernel chooses" in about("listen", lines(port=0))


def test_it_says_which_upstream_leads_and_which_stands_by() -> None:
    said = lines(upstream=BOTH, source="legacy")
    assert "the WebSocket backend, ws://127.0.0.1:9001/ws/{channel}" in about("leads", said)
    assert "the SSE backend" in about("stands by", said)


def test_it_follows_an_example_from_the_path_to_the_backend() -> None:
    example = "/api/v1/ws/project.42 -> project.42 -> http://127.0.0.1:9000/events/project.42"
    assert any(example in line for line in lines())
    legacy = lines(upstream=BOTH, source="legacy")
    assert any(line.endswith("-> ws://127.0.0.1:9001/ws/project.42") for line in legacy)


@pytest.mark.parametrize(
    ("route", "example"),
    [
        ({"ws": "/p/{id:int}", "channel": "project.{id}"}, "/p/42 -> project.42 -> http"),
        (
            {"ws": "/f/{id:uuid}", "channel": "file.{id}"},
            "/f/00000000-0000-4000-8000-000000000042 -> file.00000000-0000-4000-8000-000000000042",
        ),
        ({"sse": "/p/{id}", "channel": "project.file.{id}"}, "/p/42 -> file.42 -> http"),
        ({"ws": "/x/{id}", "channel": "other.{id}"}, "other.42, which channels does not list"),
    ],
)
def test_examples_fit_each_kind_of_route(route: Mapping[str, str], example: str) -> None:
    assert any(example in line for line in lines(routes=[route]))


def test_an_example_is_a_channel_that_is_served() -> None:
    assert any("/api/v1/ws/user.42 -> user.42" in line for line in lines(channels=["user.*"]))


def test_a_route_that_names_no_channel_says_who_does() -> None:
    assert "the channel that a subscribe frame or the query names" in about("route", lines())


def test_it_lists_aliases_polls_snapshots_and_relays() -> None:
    said = lines(
        aliases=[{"match": "file.{id}", "to": "f.{id}", "fallbacks": ["project.{id}"]}],
        polls=[{"match": ["file.*"], "url": "http://127.0.0.1/poll/{id}"}],
        snapshots=[{"match": ["file.*"], "url": "http://127.0.0.1/snap/{id}"}],
        relays=[
            {"path": "/a", "url": "http://127.0.0.1/a"},
            {"path": "/b", "url": "http://127.0.0.1/b", "get": True},
        ],
    )
    assert "file.{id} -> f.{id}, else project.{id}" in about("alias", said)
    assert "after 60 s without a result: http://127.0.0.1/poll/{id}" in about("poll", said)
    assert "http://127.0.0.1/snap/{id}" in about("snapshot", said)
    assert "POST or WS /a -> http://127.0.0.1/a" in about("relay", said)
    assert "POST, GET or WS /b" in about("relay", said)


def test_relays_alone_have_no_leading_backend() -> None:
    relay = {"path": "/a", "url": "http://127.0.0.1/a"}
    said = lines(upstream={}, relays=[relay])
    assert "only relays" in about("leads", said)
    assert any(line.endswith("for example /api/v1/ws/project.42 -> project.42") for line in said)


def test_limits_are_in_units_that_people_read() -> None:
    said = about("history", lines(history={"max_bytes": 3 << 30, "max_age": 7, "start": 5}))
    assert "3 GiB and 7 s" in said
    assert "the last 5 events" in said
    assert "64 MiB" in about("history", lines())
    assert "1.5 KiB" in about("clients", lines(client={"max_frame_bytes": 1536}))
    assert "12 bytes" in about("clients", lines(client={"max_frame_bytes": 12}))


def test_silence_that_never_counts_as_death_is_told_so() -> None:
    upstream = {"sse": {"url": "http://127.0.0.1/{channel}", "silence": 0}}
    assert any("never counts as dead" in line for line in lines(upstream=upstream))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "bridge.example.com", "192.0.2.1"])
def test_listening_to_other_machines_without_authentication_is_warned_of(host: str) -> None:
    said = warnings(host=host, auth={"allow_anonymous": True})
    assert "auth lets anyone in" in said


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "localhost", "a.localhost"])
def test_listening_to_this_machine_is_not(host: str) -> None:
    assert warnings(host=host) == ""


@pytest.mark.parametrize(
    ("upstream", "advice"),
    [
        ({"sse": {"url": "http://far.example/{id}", "headers": {"A": "b"}}}, "https://"),
        ({"sse": {"url": "http://u:p@far.example/{id}"}}, "https://"),
        ({"ws": {"url": "ws://far.example/{id}?token=secret"}}, "wss://"),
    ],
)
def test_credentials_that_travel_unencrypted_are_warned_of(
    upstream: dict[str, object], advice: str
) -> None:
    assert f"sends credentials unencrypted; use {advice}" in warnings(upstream=upstream)


@pytest.mark.parametrize(
    "upstream",
    [
        {"sse": {"url": "https://far.example/{id}", "headers": {"A": "b"}}},
        {"sse": {"url": "http://localhost/{id}", "headers": {"A": "b"}}},
        {"sse": {"url": "http://far.example/{id}"}},
    ],
)
def test_credentials_that_are_safe_or_absent_are_not(upstream: dict[str, object]) -> None:
    assert warnings(upstream=upstream) == ""


def test_relays_polls_and_snapshots_are_warned_of_by_their_place() -> None:
    far = {"url": "http://far.example/", "headers": {"X-Any": "value"}}
    said = warnings(
        polls=[{"match": ["*"], **far}],
        snapshots=[{"match": ["*"], **far}],
        relays=[{"path": "/a", **far}],
    )
    for setting in ("polls[0].url", "snapshots[0].url", "relays[0].url"):
        assert setting in said


def test_long_heartbeats_long_drains_and_trust_are_warned_of() -> None:
    assert "client.heartbeat is 60 s" in warnings(client={"heartbeat": 60})
    assert "drain_timeout is 30 s" in warnings(drain_timeout=30)
    upstream = {"sse": {"url": "http://127.0.0.1/{channel}", "replay": "trusted"}}
    assert "upstream.sse.replay" in warnings(upstream=upstream)


def test_secrets_are_not_shown() -> None:
    url = "https://ada:pass-word@far.example/{channel}?token=t0ken-value"
    said = "\n".join(lines(upstream={"sse": {"url": url}}))
    assert "pass-word" not in said
    assert "t0ken-value" not in said
    assert "https://***@far.example/{channel}?token=***" in said
