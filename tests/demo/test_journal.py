"""`bridge.demo.journal`: numbered messages for those who listen and those who come back."""

import anyio

from bridge.demo.journal import Journal, Numbered


def _journal(count: int, keep: int = 10) -> Journal:
    journal = Journal(keep)
    for number in range(1, count + 1):
        journal.append(f"m{number}")
    return journal


async def _next(journal: Journal, after: int | None, count: int) -> list[int]:
    found: list[int] = []
    with anyio.fail_after(5):
        async for message in journal.follow(after):
            found.append(message.number)
            if len(found) == count:
                break
    return found


async def test_who_names_a_place_gets_what_follows_it() -> None:
    assert await _next(_journal(4), 2, 2) == [3, 4]


async def test_messages_are_numbered_from_one() -> None:
    async for message in _journal(1).follow(0):
        assert message == Numbered(1, "m1")
        break


async def test_who_names_no_place_gets_only_what_comes() -> None:
    journal = _journal(3)
    found: list[int] = []

    async def follow() -> None:
        found.extend(await _next(journal, None, 2))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow)
        await journal.followed.wait()
        journal.append("m4")
        await anyio.lowlevel.checkpoint()
        journal.append("m5")
    assert found == [4, 5]


async def test_what_is_no_longer_kept_is_passed_over() -> None:
    assert await _next(_journal(9, keep=3), 1, 3) == [7, 8, 9]


async def test_a_place_beyond_the_top_is_the_top() -> None:
    journal = _journal(2)
    found: list[int] = []

    async def follow() -> None:
        found.extend(await _next(journal, 99, 1))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow)
        await journal.followed.wait()
        journal.append("m3")
    assert found == [3]


def test_the_last_message_is_the_newest() -> None:
    assert [_journal(count).last for count in (0, 1, 3)] == ["", "m1", "m3"]
