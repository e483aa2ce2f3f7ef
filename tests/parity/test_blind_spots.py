"""What a tool that compares counts of differences with counts of noise never sees.

Diffy reports a field only where it differs by more than 20 % relative to its noise and in more
than 0.03 % of all; whatever a noisy field says, and however arrays are ordered, stays unseen.
"""

import json
from collections.abc import Iterator
from random import Random

from bridge.parity.finding import Example, Kind
from bridge.parity.noise import Noise
from bridge.parity.observation import Observation, Side, Sight
from bridge.parity.options import CompareOptions
from bridge.parity.report import Outcome
from bridge.parity.tally import Found, Leaf, Tally
from bridge.parity.verdict import judge
from tests.parity.talk import CHANNEL, kinds, report
from tests.support.truth import Scenario, by_kind, compared, streams

TAPS = (Side.LEGACY, Side.CONTROL, Side.CANDIDATE)


def told(values: object) -> str:
    return json.dumps({"type": "file", "object": values}, separators=(",", ":"))


def taps(count: int, seed: int = 1) -> Iterator[Sight]:
    """Three taps on one source with a field that never is the same twice, and ordered tags."""
    chance = Random(seed)
    for number in range(count):
        for place, side in enumerate(TAPS):
            token = f"{chance.getrandbits(128):032x}"
            values = {"id": f"f{number % 9}", "n": number, "token": token, "tags": ["a", "b", "c"]}
            yield Observation(side, CHANNEL, told(values), number * 0.1 + place * 0.01)


def with_candidate(number: int, **values: object) -> list[Sight]:
    """The taps, where the candidate says something else at one place."""
    sights = list(taps(400))
    old = sights[3 * number + 2]
    assert isinstance(old, Observation)
    body = json.loads(old.data)["object"] | values
    sights[3 * number + 2] = Observation(old.side, CHANNEL, told(body), old.at)
    return sights


def test_three_in_ten_thousand_are_found_and_the_share_is_no_threshold() -> None:
    found = streams(Scenario(3, 20_000, 500.0, {Kind.ALTERED: 3e-4}))
    seen = compared(found, CompareOptions())
    assert by_kind(seen) == found.truth
    assert seen.verdict.outcome is Outcome.FAIL


def test_300_in_a_million_fail_with_or_without_a_little_noise() -> None:
    tally, leaf = Tally(), Leaf(Kind.ALTERED, "file", "$.object.n")
    tally.exposed["file"] = 1_000_000
    for _ in range(300):
        tally.pair(0.0, CHANNEL, [Found(leaf, 1, 2)], Example())
    assert Noise({"file": 1e6}, {leaf: 150.0}).excused(tally, 1e-4) == {}
    assert Noise({"file": 1e6}, {}).excused(tally, 1e-4) == {}
    # As much of it between two legacy taps, and it is noise.
    assert Noise({"file": 1e6}, {leaf: 300.0}).excused(tally, 1e-4) != {}


def test_rubbish_in_a_field_that_always_differs_is_found() -> None:
    for rubbish in ("null", None, 7, "", "ffff", "0" * 31):
        seen = report(with_candidate(300, token=rubbish), CompareOptions())
        assert seen.verdict.outcome is Outcome.FAIL, rubbish
        assert sum(kinds(seen).values()) == 1
        assert seen.findings[0].path == "$.object.token"


def test_another_order_inside_an_array_is_found() -> None:
    seen = report(with_candidate(300, tags=["b", "a", "c"]), CompareOptions())
    assert kinds(seen) == {Kind.REORDERED: 1}
    assert seen.findings[0].path == "$.object.tags"


def test_a_field_that_always_differs_hides_nothing_else() -> None:
    assert report(taps(400), CompareOptions()).verdict.outcome is Outcome.PASS
    seen = report(with_candidate(300, n=-1), CompareOptions())
    assert [(each.kind, each.path) for each in seen.findings if each.excused is None] == [
        (Kind.ALTERED, "$.object.n")
    ]


def test_one_in_a_hundred_is_not_taken_for_proof() -> None:
    # Diffy passes this; with ten messages nobody can say anything.
    seen = report(list(taps(10)), CompareOptions())
    assert seen.verdict.outcome is Outcome.INSUFFICIENT
    assert judge(seen.verdict.evidence, CompareOptions(min_messages=5)).outcome is Outcome.PASS
