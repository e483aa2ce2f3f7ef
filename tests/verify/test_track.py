"""Followers of a track: what they get, resumed or not, and how they hold the player up."""

import pytest
from anyio import create_task_group, wait_all_tasks_blocked

from bridge.verify import track as track_module
from bridge.verify.faults import Message
from bridge.verify.track import Track
from tests.support.waiting import until


async def followed(track: Track, last_id: str = "") -> list[str | bytes]:
    return [each.data async for batch in track.follow(last_id) for each in batch]


async def filled(*texts: str) -> Track:
    track = Track()
    for text in texts:
        await track.append(Message(text))
    return track


async def test_a_follower_gets_what_comes_until_the_end() -> None:
    track = await filled("before")
    found: list[str | bytes] = []

    async def follow() -> None:
        found.extend(await followed(track))

    async with create_task_group() as tasks:
        tasks.start_soon(follow)
        await until(lambda: track._followers)
        await track.append(Message("a"))
        await track.append(Message("b"))
        track.end()
    assert found == ["a", "b"]


async def test_who_resumes_gets_what_follows_its_id() -> None:
    track = await filled("a", "b", "c")
    track.end()
    assert await followed(track, "1") == ["b", "c"]
    assert await followed(track, "3") == await followed(track, "none") == []


async def test_recorded_ids_are_places_too() -> None:
    track = Track()
    for number in ("x7", "x8"):
        await track.append(Message(number, id=number))
    track.end()
    assert await followed(track, "x7") == ["x8"]
    assert track.has_news_after("x7")
    assert not track.has_news_after("x8")


async def test_a_cut_ends_the_streams_that_are_open_and_no_later_one() -> None:
    track = await filled("a")
    async with create_task_group() as tasks:
        tasks.start_soon(followed, track)
        await until(lambda: track._followers)
        track.cut()
        await until(lambda: not track._followers)
        tasks.start_soon(followed, track)
        await until(lambda: track._followers)
        tasks.cancel_scope.cancel()
    assert not track.is_over


async def test_the_player_waits_for_the_slowest_follower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track_module, "AHEAD", 2)
    track = await filled("a", "b", "c", "d")  # nobody follows, so nobody is waited for
    slow = track.follow("4")

    async def play() -> None:
        for number in range(10):
            await track.append(Message(str(number)))

    async with create_task_group() as tasks:
        first = [slow.__anext__()]
        tasks.start_soon(play)
        assert [each.data for each in await first[0]] == ["0", "1", "2"]
        await until(lambda: track.top == 10)
        await wait_all_tasks_blocked()
        assert track.top == 10
        assert [each.data for each in await slow.__anext__()] == ["3", "4", "5"]
        await slow.aclose()
    assert track.top == 14


async def test_what_is_no_longer_kept_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track_module, "KEPT", 2)
    track = await filled("a", "b", "c", "d")
    track.end()
    assert await followed(track, "1") == []  # the id is forgotten with its message
    assert await followed(track, "3") == ["d"]
