"""Messages of the legacy protocol."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from bridge.parity.contract import legacy, type_of
from bridge.parity.strategies import client_messages, legacy_messages, texts

VALIDATORS = legacy().validators()
SEEK = settings(deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(legacy_messages())
def test_messages_keep_the_contract(message: dict[str, Any]) -> None:
    VALIDATORS[type_of(message)].validate(message)


@pytest.mark.parametrize("kind", legacy().schemas)
def test_each_type_is_made_and_may_be_asked_for(kind: str) -> None:
    assert find(legacy_messages(kind), lambda message: True, settings=SEEK)["type"] == kind
    assert find(legacy_messages(), lambda message: message["type"] == kind, settings=SEEK)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="no legacy type 'nope'; there are data, entity"):
        legacy_messages("file", "nope")


@QUICK
@given(client_messages())
def test_what_clients_accept_names_its_type(message: dict[str, Any]) -> None:
    assert message["type"]


def test_results_are_among_what_clients_accept() -> None:
    assert find(client_messages(), lambda found: found["type"] == "image_ready", settings=SEEK)


@QUICK
@given(texts(legacy_messages("data")))
def test_a_payload_is_the_message_as_json(payload: str) -> None:
    assert json.loads(payload)["type"] == "data"
