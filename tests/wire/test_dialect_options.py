"""The dialect's settings are checked before any client is met."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from bridge.wire.dialect_options import DialectOptions


def test_the_defaults_are_sound_and_make_a_configuration_schema() -> None:
    adapter = TypeAdapter(DialectOptions)
    assert adapter.validate_python({}) == DialectOptions()
    assert adapter.json_schema()["properties"].keys() == set(DialectOptions.__dataclass_fields__)


def test_lists_and_tables_of_a_configuration_file_are_taken() -> None:
    options = TypeAdapter(DialectOptions).validate_python(
        {"subscribe": ["join", "subscribe"], "close_codes": {"unauthorized": 4001}}
    )
    assert options.subscribe == ("join", "subscribe")
    assert options.close_codes == {"unauthorized": 4001}


def test_every_kind_of_frame_can_be_turned_off() -> None:
    DialectOptions(
        subscribe=(), unsubscribe=(), json_ping=(), text_ping=(), pong=(), auth=(), subprotocols=()
    )


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"channels": ("test",)}, "has no field"),
        ({"channels": ("{channel}/x",)}, "no channel template"),
        ({"unknown": "drop"}, "unknown is 'drop'; use forward or ignore"),
        ({"uplink_refused": "tell"}, "use close or frame or ignore"),
        ({"reject": "never"}, "use before or after"),
        ({"subscribed": '{"type":"{typo}"}'}, r"subscribed: .* unknown field \{typo\}"),
        ({"subscribed": '{"id":{channel}}'}, "subscribed: .* no valid JSON"),
        ({"unsubscribed": "{reason}"}, "unsubscribed: .* unknown field"),
        ({"welcome": '{"a"}'}, "welcome: .* no valid JSON"),
        ({"gap": "{channel}"}, "gap: .* unknown field"),
        ({"error": "{lost}"}, "error: .* unknown field"),
        ({"json_pong": "{id}"}, "json_pong: .* unknown field"),
        ({"server_ping": "[}"}, "server_ping: .* no valid JSON"),
        ({"server_ping_interval": 0}, "server_ping_interval"),
        ({"server_ping_interval": float("inf")}, "server_ping_interval"),
        ({"server_ping_interval": float("nan")}, "server_ping_interval"),
        ({"subscribe": ("x",), "unsubscribe": ("x",)}, "'x' has two meanings"),
        ({"auth": ("ping",)}, "'ping' has two meanings"),
        ({"text_ping": ("pong",)}, "both a ping and a pong"),
        ({"close_codes": {"unauthorised": 4001}}, "'unauthorised' is no ending; use abnormal"),
        ({"close_codes": {"forbidden": 1006}}, "1006 for forbidden cannot be sent"),
        ({"close_codes": {"forbidden": 5000}}, "cannot be sent"),
        ({"uplink_refused": "frame", "error": ""}, "error says nothing"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        DialectOptions(**settings)
