"""What all fan-outs of one bridge share."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from bridge.endpoint.batch import Form
from bridge.endpoint.service import Service
from tests.endpoint.audience import Audience
from tests.endpoint.parts import bridging
from tests.hub.parts import key


def test_what_fan_outs_share_cannot_be_exchanged() -> None:
    service = Audience().fanouts.service
    for each in fields(Service):
        with pytest.raises(FrozenInstanceError):
            setattr(service, each.name, None)


def test_all_fan_outs_of_a_bridge_count_in_one_place() -> None:
    audience = Audience()
    one = audience.join()
    audience.key = key("project.2")
    other = audience.join(Form.BLOCKS)
    for client in (one, other):
        client.fanout.give_up(client.reader)
    assert audience.counts.found["slow_clients", "sse"] == 2


def test_a_turn_serves_no_more_clients_than_a_slice() -> None:
    audience = Audience()
    clients = [audience.join() for _ in range(5)]
    audience.publish()
    served = []
    while audience.soon:
        audience.turn()
        served.append(sum(bool(client.said) for client in clients))
    assert audience.fanouts.service.slice == 2
    assert sorted(set(served) - {0}) == [2, 4, 5]


def test_a_slice_can_be_given_and_is_bounded_unless_it_is() -> None:
    service = Audience().fanouts.service
    assert replace(service, slice=7).slice == 7
    assert Service.__dataclass_fields__["slice"].default == 256


async def test_a_bridge_shares_its_options_its_time_and_its_mapping(errors: list[str]) -> None:
    async with bridging() as running:
        bridge = running.bridge
        service = bridge.fanouts.service
        assert service.options is bridge.config.client
        assert service.wheel is bridge.wheel
        assert service.outgoing == bridge.outgoing
