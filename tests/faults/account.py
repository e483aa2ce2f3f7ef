"""The invariant: a client's stream is the backend's, with each hole announced in its place.

Pure: compares what a backend published with what a client was told.
"""

from collections.abc import Sequence

from tests.support.clients import Hole

Told = Sequence[str | Hole]


def faults(published: Sequence[str], told: Told, *, whole: bool = False) -> list[str]:
    """What breaks the invariant, in words; empty where it holds.

    What was published before the first payload came, or after the last one, is no concern of it.

    Args:
        published: all of the backend's events, each one different, in order.
        told: payloads and holes as they came.
        whole: whether nothing may be missing, nor be said to be.
    """
    places = {payload: place for place, payload in enumerate(published)}
    found: list[str] = []
    last: int | None = None
    holes: list[Hole] = []
    for each in told:
        if isinstance(each, Hole):
            holes.append(each)
            if whole:
                found.append(f"a hole is announced where none is: {each}")
            continue
        place = places.get(each)
        if place is None:
            found.append(f"nobody published {each[:80]}")
            continue
        if last is not None:
            found += _step(last, place, holes, whole=whole)
        last, holes = place, []
    return found


def _step(last: int, place: int, holes: Sequence[Hole], *, whole: bool) -> list[str]:
    if place == last:
        return [f"event {place + 1} comes twice"]
    if place < last:
        return [f"event {place + 1} comes after {last + 1}"]
    missing = place - last - 1
    if missing and (whole or not holes):
        return [f"{missing} missing before event {place + 1}, and nobody said so"]
    counts = [hole.lost for hole in holes if hole.lost is not None]
    if len(counts) == len(holes) and sum(counts) != missing:
        return [f"{missing} missing before event {place + 1}, and {sum(counts)} are told"]
    return []
