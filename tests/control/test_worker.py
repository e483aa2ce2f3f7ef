"""One thread for comparisons: bounded, and nothing that happens in it reaches the loop."""

import threading
from collections.abc import Iterator

import pytest

from bridge.control.worker import Worker
from tests.support.waiting import until


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(4)
    yield made
    made.close()


def wrong() -> None:
    raise RuntimeError("wrong")


async def test_jobs_are_done_in_order_in_another_thread(worker: Worker) -> None:
    done: list[object] = []
    assert worker.offer(lambda: done.append(threading.current_thread()))
    assert worker.offer(lambda: done.append(2))
    await until(lambda: len(done) == 2)
    assert done[0] is not threading.main_thread()
    assert done[1] == 2


async def test_what_does_not_fit_is_refused(worker: Worker) -> None:
    gate = threading.Event()
    assert worker.offer(gate.wait)
    await until(lambda: not worker.waiting)
    assert [worker.offer(lambda: None) for _ in range(5)] == [True] * 4 + [False]
    assert not worker.has_room
    gate.set()
    await until(lambda: not worker.waiting)
    assert worker.has_room


async def test_a_job_that_raises_is_followed_by_others(worker: Worker) -> None:
    worker.offer(wrong)
    assert worker.ask(lambda: 7).result(10) == 7


def test_who_asks_is_told_what_was_raised(worker: Worker) -> None:
    with pytest.raises(RuntimeError, match="wrong"):
        worker.ask(wrong).result(10)


async def test_after_its_close_nothing_more_is_done(worker: Worker) -> None:
    gate, done = threading.Event(), list[int]()
    worker.offer(gate.wait)
    worker.offer(lambda: done.append(1))
    worker.close()
    gate.set()
    assert not worker.offer(lambda: done.append(2))
    thread = worker._thread
    assert thread is not None
    await until(lambda: not thread.is_alive())
    assert done == []
