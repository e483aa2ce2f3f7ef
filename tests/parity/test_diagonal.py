"""By how much two sequences of texts are shifted against each other."""

from random import Random

import pytest

from bridge.parity.diagonal import Told, shift

WORDS = ["the", "of", "and", "to", "in", "is", "you", "that", "it", "he", "was", "for"]


def words(count: int, kinds: int = 12, seed: int = 1) -> list[Told]:
    chance, at, found = Random(seed), 0.0, list[Told]()
    for _ in range(count):
        at += chance.expovariate(50)
        found.append((chance.choice(WORDS[:kinds]), at))
    return found


def later(said: list[Told], seconds: float) -> list[Told]:
    return [(text, at + seconds) for text, at in said]


@pytest.mark.parametrize("kinds", [2, 12])
@pytest.mark.parametrize("lag", [0.0, 1.5, -1.5])
def test_texts_that_recur_tell_the_lag_by_their_order(kinds: int, lag: float) -> None:
    said = words(200, kinds)
    for left, right in ((said, said[120:]), (said[120:], said), (said[:160], said[40:])):
        found = shift(left, later(right, lag))
        assert found is not None
        assert found.range == pytest.approx((lag, lag))
        assert found.usual == pytest.approx(lag)


def test_a_lost_message_changes_the_shift_but_not_the_lag() -> None:
    said = words(80)
    found = shift(said, later(said[:40] + said[41:], 0.3))
    assert found is not None
    assert found.usual == pytest.approx(0.3)


def test_what_has_nothing_in_common_or_too_little_tells_no_lag() -> None:
    assert shift([], []) is None
    assert shift(words(7), words(7)) is None
    assert shift(words(64), words(64, seed=2)) is None


def test_what_fits_at_several_shifts_tells_no_lag() -> None:
    ticks = [("tick", float(n)) for n in range(40)]
    assert shift(ticks, ticks) is None
    assert shift([("ab"[n % 2], float(n)) for n in range(40)], ticks[:1]) is None
