"""Meanings are plain values, and none shows a secret."""

from bridge.wire.meaning import Authenticate


def test_a_token_does_not_show_in_logs() -> None:
    assert "s3cret" not in repr(Authenticate("s3cret"))
