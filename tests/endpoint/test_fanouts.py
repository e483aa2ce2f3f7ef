"""A channel's fan-out lives for as long as somebody holds it."""

from tests.endpoint.audience import Audience
from tests.hub.parts import key


def test_all_who_join_a_channel_share_one_fan_out() -> None:
    audience = Audience()
    first, second = (audience.fanouts.join(audience.key) for _ in range(2))
    assert first is second
    assert audience.channel.readers == 2


def test_channels_have_fan_outs_of_their_own() -> None:
    audience = Audience()
    assert audience.fanouts.join(audience.key) is not audience.fanouts.join(key("project.2"))


def test_a_fan_out_outlives_all_but_its_last_holder() -> None:
    audience = Audience()
    fanout = audience.fanouts.join(audience.key)
    audience.fanouts.join(audience.key)
    audience.fanouts.leave(fanout)
    assert audience.fanouts.join(audience.key) is fanout
    audience.fanouts.leave(fanout)
    audience.fanouts.leave(fanout)
    assert audience.channel.readers == 0
    assert audience.fanouts.join(audience.key) is not fanout


def test_a_fan_out_that_nobody_holds_beats_no_more() -> None:
    audience = Audience(heartbeat=1.0)
    audience.leave(audience.join())
    audience.time.move(5.0)
    audience.settle()
    assert not audience.time.standing


def test_a_fan_out_that_was_let_go_is_not_rung_by_what_comes_later() -> None:
    audience = Audience()
    first = audience.join()
    audience.leave(first)
    second = audience.join()
    audience.publish(2)
    audience.settle()
    assert (first.said, second.said) == ([], [1, 2])


def test_leaving_once_too_often_takes_nothing_from_those_who_came_since() -> None:
    audience = Audience()
    old = audience.fanouts.join(audience.key)
    audience.fanouts.leave(old)
    new = audience.fanouts.join(audience.key)
    audience.fanouts.leave(old)
    assert audience.fanouts.join(audience.key) is new
    assert audience.channel.readers == 2
