"""Which channel a request means, and how long a client should stay away."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from bridge.endpoint.gateway import RETURN_AFTER, Gateway, label
from bridge.endpoint.options import ClientOptions
from bridge.errors import InvalidChannel
from bridge.ops.metrics import Metrics
from bridge.wire.alias import Aliases
from bridge.wire.endings import FORBIDDEN, NO_STATUS, RESTART, for_close
from bridge.wire.names import ChannelName
from bridge.wire.routes import RouteOptions
from tests.hub.parts import World

BY_PATH = RouteOptions(sse="/events/{channel}")
BY_QUERY = RouteOptions(sse="/events", channel="")
TENANT = RouteOptions(sse="/{tenant}/events", channel="")
NOTHING = QueryParams("")


def gateway(**changes: Any) -> Gateway:
    made = Gateway(
        World().hub,
        ClientOptions(),
        Metrics(),
        random=lambda: 0.5,
        aliases=Aliases(),
        patterns=("project.*", "file.*"),
    )
    return replace(made, **changes)


def test_the_path_names_the_channel() -> None:
    name = gateway().name_of(BY_PATH, {"channel": "project.1"}, QueryParams("fileId=f1"))
    assert name == ChannelName("project.1")


@pytest.mark.parametrize("route", [BY_QUERY, TENANT])
def test_the_query_names_it_where_the_path_does_not(route: RouteOptions) -> None:
    path = {"tenant": "t"} if route is TENANT else {}
    name = gateway().name_of(route, path, QueryParams("projectId=7&fileId=f1"))
    assert name == ChannelName("file.f1")


def test_nothing_names_nothing() -> None:
    assert gateway().name_of(BY_QUERY, {}, NOTHING) is None


def test_an_alias_is_resolved_before_it_is_looked_for() -> None:
    name = gateway(patterns=("file.*",)).name_of(BY_PATH, {"channel": "project.file.f1"}, NOTHING)
    assert name == ChannelName("file.f1")


@pytest.mark.parametrize("text", ["user.1", "project", "../x", "project.1\n", ""])
def test_what_is_not_served_is_invalid(text: str) -> None:
    with pytest.raises(InvalidChannel):
        gateway().name_of(BY_PATH, {"channel": text}, NOTHING)


def test_returning_clients_are_spread_over_time() -> None:
    low, high = RETURN_AFTER
    assert gateway().delayed(RESTART).delay == (low + high) // 2
    assert gateway(random=lambda: 0.0).delayed(RESTART).delay == low


@pytest.mark.parametrize("ending", [FORBIDDEN, NO_STATUS.after(7)])
def test_a_final_ending_and_one_with_a_delay_stay_as_they_are(ending: Any) -> None:
    assert gateway().delayed(ending) is ending


def test_applications_own_codes_share_one_label() -> None:
    assert label(for_close(4999)) == label(for_close(3999)) == "close"
    assert label(FORBIDDEN) == "forbidden"


def test_a_client_is_counted_while_it_is_here() -> None:
    metrics = Metrics()
    counting = gateway(meter=metrics)
    counting.opened("ws")
    assert metrics.value("clients", wire="ws") == 1
    counting.gone("ws")
    assert metrics.value("clients", wire="ws") == 0
    assert metrics.value("clients_opened", wire="ws") == 1
