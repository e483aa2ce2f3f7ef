"""Exact binomial probabilities, their bounds, and what holds over many of them.

Decides nothing about streams. All in log space, so that a million trials lose no precision that
matters; own code, for a dependency on a numerics package would outweigh it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, expm1, lgamma, log, log1p

_STEPS = 200
_NEGLIGIBLE = 1e-18


def tail(successes: int, trials: int, share: float) -> float:
    """The probability of at least so many successes, each of `share` (from 0 to 1).

    Raises:
        ValueError: the numbers make no sense together.
    """
    _check(successes, trials, share)
    if successes == 0:
        return 1.0
    if share in (0.0, 1.0):
        return share
    if successes > trials * share:
        return _upwards(successes, trials, share)
    # The other tail is the shorter sum here.
    return max(0.0, 1.0 - _upwards(trials - successes + 1, trials, 1 - share))


def upper_bound(successes: int, trials: int, confidence: float) -> float:
    """The one-sided upper confidence bound of a share (Clopper and Pearson 1934).

    The largest share under which so few successes are not yet too unlikely. 1 without trials.

    Raises:
        ValueError: the numbers make no sense together.
    """
    _check(successes, trials, confidence)
    if successes == trials:
        return 1.0
    if successes == 0:
        return -expm1(log1p(-confidence) / trials)
    low, high = successes / trials, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if 1 - tail(successes + 1, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def discoveries(chances: Sequence[float], rate: float) -> list[bool]:
    """Which of many tests stand out, so that at most `rate` of those named are false.

    Benjamini and Hochberg 1995: the largest k whose k-th smallest chance is at most k/n * rate.
    """
    ranked = sorted(range(len(chances)), key=chances.__getitem__)
    last = 0
    for rank, place in enumerate(ranked, start=1):
        if chances[place] <= rate * rank / len(chances):
            last = rank
    named = set(ranked[:last])
    return [place in named for place in range(len(chances))]


def _upwards(successes: int, trials: int, share: float) -> float:
    """The upper tail from beyond the mean on, where each term is smaller than the last."""
    if successes > trials:
        return 0.0
    term = exp(
        lgamma(trials + 1)
        - lgamma(successes + 1)
        - lgamma(trials - successes + 1)
        + successes * log(share)
        + (trials - successes) * log1p(-share)
    )
    odds = share / (1 - share)
    total = term
    for each in range(successes, trials):
        term *= (trials - each) / (each + 1) * odds
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return min(1.0, total)


def _check(successes: int, trials: int, share: float) -> None:
    if not 0 <= successes <= trials or not 0 <= share <= 1:
        raise ValueError(f"{successes} of {trials} with {share} is no binomial question")
