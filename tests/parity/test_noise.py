"""What differs by nature, learned from two taps, and what is more than that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.finding import Example, Kind
from bridge.parity.noise import Noise
from bridge.parity.tally import Found, Leaf, Tally
from tests.parity.talk import new, old

URL = Leaf(Kind.ALTERED, "file", "$.url", kept=True)
RUBBISH = Leaf(Kind.ALTERED, "file", "$.url")
GONE = Leaf(Kind.MISSING, "file")
LEAVES = st.builds(
    Leaf, st.sampled_from(Kind), st.text(max_size=5), st.text(max_size=5), st.booleans()
)
COUNTS = st.floats(0, 1e9)
NOISES = st.builds(
    Noise,
    st.dictionaries(st.text(max_size=5), COUNTS, max_size=4),
    st.dictionaries(LEAVES, COUNTS, max_size=4),
    st.dictionaries(st.tuples(st.text(max_size=5), st.text()), st.tuples(COUNTS, COUNTS)),
    st.floats(0, 100),
    st.text(max_size=5),
)


def tally(exposed: int, **counts: tuple[Leaf, int]) -> Tally:
    made = Tally()
    made.exposed["file"] = exposed
    for leaf, count in counts.values():
        for _ in range(count):
            made.pair(0.0, "c", [Found(leaf, 1, 2)], Example(old("a"), new("b")))
    return made


def noise(exposed: float, **counts: tuple[Leaf, float]) -> Noise:
    return Noise({"file": exposed}, dict(counts.values()))


@given(NOISES)
def test_noise_survives_json(given: Noise) -> None:
    assert Noise.from_json(given.to_json()) == given


@pytest.mark.parametrize("text", ["[]", "{}", "null", '{"version":9}', "{", '{"version":1}'])
def test_what_is_no_noise_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        Noise.from_json(text)
    assert "\n" not in str(refusal.value)


@given(NOISES, st.floats(0, 1))
def test_decay_leaves_a_share_of_every_count(given: Noise, share: float) -> None:
    found = given.decayed(share)
    assert found.leaves == {leaf: count * share for leaf, count in given.leaves.items()}
    assert found.exposed == {name: count * share for name, count in given.exposed.items()}
    assert (found.lag, found.ranges, found.config) == (given.lag, given.ranges, given.config)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_no_other_share_can_remain(share: float) -> None:
    with pytest.raises(ValueError, match="use a share from 0 to 1"):
        Noise().decayed(share)


def test_another_configuration_has_no_noise_yet() -> None:
    known = Noise({"file": 1.0}, config="a")
    assert known.of("a") is known
    assert known.of("b") == Noise(config="b")
    assert known
    assert not known.of("b")


def test_as_often_as_between_two_legacy_taps_is_noise() -> None:
    found = noise(1000, url=(URL, 1000)).excused(tally(900, url=(URL, 900)), 1e-4)
    assert found == {URL: "as often as between two legacy taps, and of the same shape"}


def test_more_often_than_that_is_not() -> None:
    known = noise(1000, gone=(GONE, 5))
    assert known.excused(tally(1000, gone=(GONE, 5)), 1e-4)
    assert known.excused(tally(1000, gone=(GONE, 50)), 1e-4) == {}


def test_300_of_a_million_are_found_where_there_is_no_noise_or_too_little() -> None:
    assert noise(1e6, url=(URL, 1e6)).excused(tally(10**6, gone=(GONE, 300)), 1e-4) == {}
    known = noise(1e6, gone=(GONE, 100))
    assert known.excused(tally(10**6, gone=(GONE, 300)), 1e-4) == {}


def test_a_value_of_another_shape_is_no_noise_however_noisy_its_place_is() -> None:
    known = noise(1000, url=(URL, 1000))
    assert list(known.excused(tally(10, url=(URL, 9), bad=(RUBBISH, 1)), 1e-4)) == [URL]


def test_without_anything_exposed_nothing_is_more_than_noise() -> None:
    assert Noise({}, {GONE: 1.0}).excused(tally(0, gone=(GONE, 3)), 1e-4) == {GONE: _LEARNED}


_LEARNED = "as often as between two legacy taps"


def test_a_type_that_is_new_is_judged_by_all_messages() -> None:
    known = Noise({"task": 1000.0}, {GONE: 500.0})
    assert GONE in known.excused(tally(1000, gone=(GONE, 480)), 1e-4)
    assert GONE not in known.excused(tally(1000, gone=(GONE, 900)), 1e-4)


def test_places_that_differ_often_are_left_out_of_keys() -> None:
    assert noise(100, url=(URL, 5), gone=(GONE, 100)).volatile == [("file", "$.url")]
    assert noise(100, url=(URL, 4)).volatile == []


def test_what_is_learned_adds_to_what_is_known() -> None:
    seen = tally(100, url=(URL, 90), ignored=(Leaf(Kind.ALTERED, "file", "$.x", excused="r"), 5))
    place = ("file", "$.n")
    known = Noise({"file": 10.0}, {URL: 9.0}, {place: (3.0, 5.0)}, 0.5)
    found = known.learned(seen, {place: (1.0, 4.0), ("t", "$"): (0.0, 0.0)}, 0.2)
    assert (found.exposed, found.leaves) == ({"file": 110.0}, {URL: 99.0})
    assert found.ranges == {place: (1.0, 5.0), ("t", "$"): (0.0, 0.0)}
    assert found.lag == 0.5


def test_what_a_lost_connection_explains_is_no_noise() -> None:
    torn, spelled = (
        Leaf(Kind.MISSING, "file", reason="reset"),
        Leaf(Kind.ENCODING, "file", reason="x"),
    )
    learned = Noise().learned(tally(1000, torn=(torn, 200), spelled=(spelled, 3)), {}, 0.0)
    assert learned.leaves == {Leaf(Kind.ENCODING, "file"): 3}
    assert learned.excused(tally(1000, gone=(GONE, 1)), 1e-4) == {}


def test_each_part_of_a_value_has_noise_of_its_own() -> None:
    part = Leaf(Kind.ALTERED, "file", "$.url", kept=True, reason="segment 1")
    assert noise(1000, url=(URL, 1000)).excused(tally(1000, part=(part, 9)), 1e-4) == {}
    known = Noise.from_json(noise(1000, part=(part, 1000)).to_json())
    assert list(known.excused(tally(1000, part=(part, 999)), 1e-4)) == [part]


def test_noise_that_was_kept_before_parts_were_known_is_read() -> None:
    old_one = (
        noise(1000, url=(URL, 7)).to_json().replace(',7.0,""]', ",7.0]").replace(',7,""]', ",7]")
    )
    assert Noise.from_json(old_one) == noise(1000, url=(URL, 7))
