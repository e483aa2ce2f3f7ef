"""Tasks that outlive the call that began them."""

import asyncio
import gc
from weakref import ref

from structlog.testing import capture_logs

from bridge.endpoint.background import Background
from tests.support.waiting import until


class Work:
    """Runs until it is let go, and says how it ended."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.ended = ""

    async def __call__(self) -> None:
        try:
            await self.let_go.wait()
            self.ended = "done"
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise


async def failing() -> None:
    raise LookupError("no luck")


async def test_a_task_that_nobody_else_holds_still_ends() -> None:
    background, work = Background(), Work()
    task = ref(background.spawn(work()))
    await asyncio.sleep(0)
    gc.collect()
    assert task() is not None
    work.let_go.set()
    await until(lambda: work.ended == "done")


async def test_a_task_that_has_ended_is_forgotten() -> None:
    background, work = Background(), Work()
    work.let_go.set()
    await background.spawn(work())
    await until(lambda: not background._tasks)


async def test_a_failure_is_logged_once_with_what_it_was() -> None:
    background = Background()
    with capture_logs() as lines:
        await asyncio.wait([background.spawn(failing())])
        await until(lambda: not background._tasks)
    (line,) = lines
    assert line["log_level"] == "error"
    assert isinstance(line["exc_info"], LookupError)


async def test_closing_cancels_what_still_runs_and_waits_for_it() -> None:
    background, works = Background(), (Work(), Work())
    with capture_logs() as lines:
        for work in works:
            background.spawn(work())
        await asyncio.sleep(0)
        await background.close()
    assert [work.ended for work in works] == ["cancelled", "cancelled"]
    assert lines == []


async def test_closing_survives_a_task_that_fails_on_its_way_out() -> None:
    background, began = Background(), asyncio.Event()

    async def stubborn() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            raise LookupError("no luck")

    with capture_logs() as lines:
        background.spawn(stubborn())
        await began.wait()
        await background.close()
        await until(lambda: lines)
    assert not background._tasks


async def test_closing_with_nothing_running_is_harmless() -> None:
    await Background().close()
