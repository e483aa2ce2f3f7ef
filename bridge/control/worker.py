"""One thread for work that must never hold the event loop up: comparisons.

Decides how much may wait, and that a job which fails or never ends harms no other part. Each job
is short; after each the thread offers the interpreter to the loop, which so waits for one job at
most.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import structlog

Job = Callable[[], object]
Answer = TypeVar("Answer")

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("bridge.shadow")


class Worker:
    """A thread and its bounded queue. All methods return at once.

    Args:
        limit: how many jobs may wait.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._jobs: deque[Job] = deque()
        self._news = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._jobs)

    @property
    def has_room(self) -> bool:
        """Whether less waits than half of what may; whoever can wait offers no more until then."""
        return len(self._jobs) * 2 < self._limit

    def offer(self, job: Job) -> bool:
        """Have a job done behind those that wait; False where there is no room for it."""
        if self._is_closed or len(self._jobs) >= self._limit:
            return False
        self._add(job)
        return True

    def ask(self, job: Callable[[], Answer]) -> Future[Answer]:
        """Have a job done whatever waits before it; its answer, or what it raised, comes later."""
        answer: Future[Answer] = Future()

        def run() -> None:
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(job())
                except Exception as error:  # noqa: BLE001 - whoever asked is told
                    answer.set_exception(error)

        self._add(run)
        return answer

    def close(self) -> None:
        """Do no more; a job that hangs is left to itself."""
        self._is_closed = True
        self._jobs.clear()
        self._news.release()

    def _add(self, job: Job) -> None:
        if self._thread is None:
            # a daemon: a job that never ends must not keep the process
            self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
            self._thread.start()
        self._jobs.append(job)
        self._news.release()

    def _run(self) -> None:
        while not self._is_closed:
            self._news.acquire()
            try:
                job = self._jobs.popleft()
            except IndexError:
                continue  # closed
            try:
                job()
            except Exception:  # noqa: BLE001 - whatever fails, the next job is another
                _log.exception("a comparison failed")
            time.sleep(0)
