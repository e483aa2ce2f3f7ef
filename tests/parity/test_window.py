"""The open window: which slot an equal key settles, and what the other side has passed."""

from bridge.parity.window import Shelf, Slot, Stream


def slot(key: str, index: int) -> Slot[str]:
    return Slot(key, f"{key}{index}", index, 0.0)


def shelf(keys: str) -> Shelf[str]:
    made: Shelf[str] = Shelf()
    for index, key in enumerate(keys, 1):
        made.put(slot(key, index))
    return made


def test_the_oldest_of_a_key_is_settled_first() -> None:
    kept = shelf("aba")
    assert (kept.take("a"), kept.take("a"), kept.take("a")) == (slot("a", 1), slot("a", 3), None)
    assert [*kept] == [slot("b", 2)]


def test_the_oldest_of_all_is_forgotten_first() -> None:
    kept = shelf("abab")
    kept.take("a")
    assert (kept.forget(), kept.oldest) == (slot("b", 2), slot("a", 3))
    assert (kept.take("b"), len(kept)) == (slot("b", 4), 1)


def test_what_is_published_is_settled_before_what_is_held() -> None:
    stream: Stream[str] = Stream()
    stream.held.put(slot("a", 2))
    stream.said.put(slot("a", 1))
    assert [stream.match("a") for _ in range(3)] == [
        (slot("a", 1), True),
        (slot("a", 2), False),
        (None, False),
    ]


def test_the_other_side_has_passed_what_came_before_the_last_common_event() -> None:
    stream: Stream[str] = Stream()
    for index, key in enumerate("abcd", 1):
        stream.said.put(slot(key, index))
    stream.match("c")
    stream.match("b")
    assert [stream.passed_by(slot(key, index)) for index, key in enumerate("abcd", 1)] == [
        2,
        1,
        0,
        0,
    ]
