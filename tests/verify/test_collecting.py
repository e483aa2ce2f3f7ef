"""How often garbage is collected while recordings are compared."""

import gc

import pytest

from bridge.verify.collecting import SELDOM, seldom_collected


def test_garbage_is_collected_seldom_inside_the_block_alone() -> None:
    before = gc.get_threshold()
    with seldom_collected():
        assert gc.get_threshold() == SELDOM
    assert gc.get_threshold() == before


def test_a_failure_inside_leaves_nothing_changed() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), seldom_collected():
        raise KeyError
    assert gc.get_threshold() == before
