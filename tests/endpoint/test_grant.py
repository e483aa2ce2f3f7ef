"""What a grant allows."""

import pytest

from bridge.endpoint.grant import ANYONE, Channels, Grant
from bridge.wire.credential import OwnCredential
from bridge.wire.names import ChannelName

ONE, TWO = ChannelName("project.1"), ChannelName("project.2")


@pytest.mark.parametrize(
    ("patterns", "inside"),
    [((), False), (("project.1",), True), (("project.2",), False), (("project.*",), True)],
)
def test_channels_are_names_and_patterns(patterns: tuple[str, ...], *, inside: bool) -> None:
    assert (ONE in Channels.of(patterns)) is inside


def test_sending_takes_the_right_to_read_as_well() -> None:
    grant = Grant(reads=Channels.of(["project.1"]), sends=Channels.of(["*"]))
    assert grant.may_send(ONE)
    assert not grant.may_send(TWO)
    assert not Grant(sends=Channels()).may_send(ONE)


def test_anyone_shares_one_log() -> None:
    assert ANYONE.key(ONE) == Grant(principal="someone").key(ONE)


def test_an_own_credential_makes_an_own_log_and_is_not_shown() -> None:
    grant = Grant(scope="s", credential=OwnCredential("Bearer secret"))
    key = grant.key(ONE)
    assert key != ANYONE.key(ONE)
    assert key.credential == OwnCredential("Bearer secret")
    assert "secret" not in repr(grant) + repr(key) + str(key)
