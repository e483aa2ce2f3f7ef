"""The rolling digest: equal exactly for equal multisets, in whatever order."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.digest import Multiset, weight

MESSAGES = st.lists(st.sampled_from(("a", "b", "c", b"a", "\ud800")), max_size=12)


def digest(messages: list[str | bytes], key: bytes = b"") -> Multiset:
    made = Multiset(key)
    for each in messages:
        made.add(each)
    return made


@given(MESSAGES.flatmap(lambda said: st.tuples(st.just(said), st.permutations(said))))
def test_the_order_does_not_matter(pair: tuple[list[str | bytes], list[str | bytes]]) -> None:
    assert digest(pair[0]) == digest(pair[1])
    assert digest(pair[0]).hex() == digest(pair[1]).hex()


@given(MESSAGES, MESSAGES)
def test_all_else_does(one: list[str | bytes], other: list[str | bytes]) -> None:
    assert (digest(one) == digest(other)) is (Counter(one) == Counter(other))


@given(MESSAGES, MESSAGES)
def test_digests_add_up(one: list[str | bytes], other: list[str | bytes]) -> None:
    made = digest(one)
    made.merge(digest(other))
    assert made == digest(one + other)
    assert made.count == len(one) + len(other)


@given(MESSAGES, MESSAGES)
def test_what_was_taken_in_can_be_taken_out(
    one: list[str | bytes], other: list[str | bytes]
) -> None:
    made = digest(one + other)
    for each in other:
        made.remove(each)
    assert made == digest(one)


def test_another_key_is_another_digest() -> None:
    assert digest(["a"], b"one") != digest(["a"], b"two")
    assert digest([], b"one") != digest([], b"two")
    assert digest(["a"], b"one") == digest(["a"], b"one")


def test_text_and_binary_weigh_differently() -> None:
    assert weight("a") != weight(b"a")
    assert 0 <= weight("a") < 1 << 128


def test_what_changes_cannot_be_hashed_nor_equals_anything_else() -> None:
    with pytest.raises(TypeError):
        hash(Multiset())
    assert Multiset() != 0
    assert Multiset().hex() == "0" * 32
