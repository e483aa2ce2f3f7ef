"""What holds across the tables of a configuration."""

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.endpoint.relay_request import RelayOptions
from bridge.settings.model import Config, UpstreamOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from bridge.wire.routes import RouteOptions

SSE = SseOptions(url="http://localhost/events/{channel}")
WS = WsOptions(url="ws://localhost/ws/{channel}")
RELAY = RelayOptions(path="/v2/echat", url="http://localhost/v2/echat")


def config(**settings: Any) -> Config:
    return Config(**({"upstream": UpstreamOptions(sse=SSE)} | settings))


def refusal(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        config(**settings)
    return str(caught.value.errors()[0]["msg"])


def test_one_upstream_is_enough_and_the_rest_has_defaults() -> None:
    made = config()
    assert (made.host, made.port, made.channels[0]) == ("127.0.0.1", 8080, "project.*")


def test_the_only_upstream_leads() -> None:
    assert config().source == "sse"
    assert config(upstream=UpstreamOptions(ws=WS)).source == "legacy"


def test_of_two_upstreams_the_named_one_leads_and_one_must_be_named() -> None:
    both = UpstreamOptions(sse=SSE, ws=WS)
    assert config(upstream=both, source="legacy").source == "legacy"
    assert "source is not chosen" in refusal(upstream=both)


@pytest.mark.parametrize(
    ("source", "upstream", "lacking"),
    [("legacy", UpstreamOptions(sse=SSE), "ws"), ("sse", UpstreamOptions(ws=WS), "sse")],
)
def test_a_named_source_must_have_its_upstream(
    source: str, upstream: UpstreamOptions, lacking: str
) -> None:
    assert f"there is no upstream.{lacking}" in refusal(source=source, upstream=upstream)


def test_without_an_upstream_only_relays_are_served() -> None:
    assert "upstream is not given" in refusal(upstream=UpstreamOptions())
    assert config(upstream=UpstreamOptions(), relays=(RELAY,)).source is None


@pytest.mark.parametrize(
    "upstream",
    [{"sse": SseOptions(url="http://localhost/")}, {"ws": WsOptions(url="ws://localhost/")}],
)
def test_an_upstream_without_a_channel_in_its_url_is_refused(upstream: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="url names no channel"):
        UpstreamOptions(**upstream)


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0", "::1", "::", "a-b.example.com", "x"])
def test_host_names_and_addresses_can_be_listened_on(host: str) -> None:
    assert config(host=host, auth={"allow_anonymous": True}).host == host


@pytest.mark.parametrize("host", ["", "localhost:80", "http://x", "a b", "[::1]", "-x", "a/b"])
def test_anything_else_is_no_host(host: str) -> None:
    assert "is no host name or address" in refusal(host=host)


@pytest.mark.parametrize("port", [-1, 65536, 1.5, "x", None])
def test_a_port_is_a_number_up_to_65535(port: object) -> None:
    assert refusal(port=port)


def test_port_zero_is_the_kernels_choice() -> None:
    assert config(port=0).port == 0


def test_channels_are_patterns_of_names() -> None:
    assert config(channels=("*", "a.[12]?")).channels == ("*", "a.[12]?")
    assert "names no channel" in refusal(channels=())
    assert "no channel can match" in refusal(channels=("project.*", "a/b"))


def test_levels_may_be_written_in_capitals() -> None:
    assert config(log_level="WARNING").log_level == "warning"
    assert "debug" in refusal(log_level="loud")
    assert "debug" in refusal(log_level=3)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_drain_takes_no_negative_time(seconds: float) -> None:
    assert refusal(drain_timeout=seconds)


def test_a_path_is_served_once_on_each_wire() -> None:
    one, other = RouteOptions(ws="/x/{channel}"), RouteOptions(sse="/x/{channel}")
    assert config(routes=(one, other)).routes == (one, other)
    assert "WebSocket path /x/{} twice" in refusal(routes=(one, one))
    again = RouteOptions(sse="/y/{channel}", aliases=("/x/{id}",), channel="")
    assert "HTTP path /x/{} twice" in refusal(routes=(other, again))


def test_a_relay_may_not_take_a_routes_path() -> None:
    route = RouteOptions(sse="/v2/echat", channel="")
    assert "/v2/echat twice" in refusal(routes=(route,), relays=(RELAY,))


def test_it_may_serve_no_route_at_all() -> None:
    assert config(routes=()).routes == ()


def test_unknown_keys_are_refused_within_embedded_options_too() -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({"upstream": {"sse": {"url": SSE.url, "uri": ""}}})


def test_it_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        config().port = 1


def test_its_secrets_do_not_show() -> None:
    secret = SseOptions(
        url="http://ada:pass-word@localhost/{channel}?token=t0ken-value",
        headers={"X-Token": "Bearer b3arer-value"},
    )
    made = config(upstream=UpstreamOptions(sse=secret)).hiding(frozenset({"127.0.0.1"}))
    shown = f"{made!r} {made}"
    for hidden in ("pass-word", "t0ken-value", "b3arer-value", "127.0.0.1"):
        assert hidden not in shown
    assert made.mask("sent b3arer-value") == "sent ***"
