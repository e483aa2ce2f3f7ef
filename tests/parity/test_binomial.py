"""Binomial tails and bounds, held against exact fractions and published values."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.binomial import discoveries, tail, upper_bound

TRIALS = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def exact(successes: int, trials: int, share: Fraction) -> Fraction:
    """The tail by the definition."""
    return sum(
        (
            comb(trials, each) * share**each * (1 - share) ** (trials - each)
            for each in range(successes, trials + 1)
        ),
        Fraction(0),
    )


@given(TRIALS, st.fractions(0, 1, max_denominator=64))
def test_a_tail_is_the_exact_one(counts: tuple[int, int], share: Fraction) -> None:
    assert tail(*counts, float(share)) == pytest.approx(float(exact(*counts, share)), abs=1e-12)


def test_tiny_tails_keep_their_precision() -> None:
    assert tail(30, 40, 1 / 64) == pytest.approx(float(exact(30, 40, Fraction(1, 64))), rel=1e-9)


def test_a_million_trials_are_no_trouble() -> None:
    # Poisson with mean 300 within a relative 1e-3: its median lies at 300.
    assert tail(301, 1_000_000, 300e-6) == pytest.approx(0.4847, abs=2e-3)
    assert tail(600, 1_000_000, 300e-6) < 1e-50


@given(TRIALS.filter(lambda counts: 0 < counts[0] < counts[1]), st.sampled_from((0.5, 0.95, 0.99)))
def test_under_the_bound_so_few_are_exactly_as_unlikely_as_allowed(
    counts: tuple[int, int], confidence: float
) -> None:
    successes, trials = counts
    bound = upper_bound(successes, trials, confidence)
    assert successes / trials < bound < 1
    assert 1 - tail(successes + 1, trials, bound) == pytest.approx(1 - confidence, abs=1e-6)


def test_bounds_as_the_tables_have_them() -> None:
    assert upper_bound(0, 100, 0.95) == pytest.approx(0.029513, abs=1e-6)  # the rule of three
    assert upper_bound(1, 10, 0.95) == pytest.approx(0.394163, abs=1e-6)  # Clopper and Pearson
    assert upper_bound(0, 0, 0.95) == upper_bound(7, 7, 0.95) == 1


@pytest.mark.parametrize("question", [(3, 2, 0.5), (-1, 2, 0.5), (1, 2, 1.5), (1, 2, -0.1)])
def test_senseless_questions_are_refused(question: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match="no binomial question"):
        tail(*question)


def test_discoveries_as_benjamini_and_hochberg_print_them() -> None:
    # Table 1 of the paper: of these fifteen the first four stand out at 0.05.
    chances = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000),
    ]
    assert discoveries(chances, 0.05) == [True] * 4 + [False] * 11


def test_a_later_rank_lifts_the_earlier_ones_whatever_their_order() -> None:
    assert discoveries([0.04, 0.9, 0.03], 0.06) == [True, False, True]
    assert discoveries([0.03, 0.06], 0.05) == [False, False]
    assert discoveries([], 0.05) == []
