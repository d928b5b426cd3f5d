"""Several people, or several tabs of one person, who do something at the same moment."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection, transaction

PATIENCE_SECONDS = 300.0
WAITS_WITHIN_SECONDS = 20.0
SOMEBODY_WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
"""


@dataclass
class Outcome:
    """What one of them got: an answer, or the exception it was refused with."""

    answer: Any = None
    refusal: BaseException | None = None


@dataclass
class Doing:
    """Something that goes on in a thread with a connection of its own."""

    work: Callable[[], Any]
    outcome: Outcome = field(default_factory=Outcome)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._do, daemon=True)
        self._thread.start()

    def _do(self) -> None:
        try:
            self.outcome.answer = self.work()
        except BaseException as refusal:
            self.outcome.refusal = refusal
        finally:
            connection.close()

    @property
    def is_going_on(self) -> bool:
        return self._thread.is_alive()

    def result(self) -> Outcome:
        """Wait for the end and return what came of it."""
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "it never came to an end"
        return self.outcome


class HeldOpen:
    """A transaction of another connection that did its work and is not over yet."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._is_done, self._may_end = threading.Event(), threading.Event()
        self._doing = Doing(partial(self._hold, work))
        assert self._is_done.wait(PATIENCE_SECONDS)

    def _hold(self, work: Callable[[], object]) -> None:
        try:
            with transaction.atomic():
                work()
                self._is_done.set()
                assert self._may_end.wait(PATIENCE_SECONDS)
        finally:
            self._is_done.set()

    def commit(self) -> None:
        """Let the transaction end, and wait for it."""
        self._may_end.set()
        refusal = self._doing.result().refusal
        assert refusal is None, refusal


def at_once(*works: Callable[[], Any]) -> list[Outcome]:
    """Do all of these at the same moment, each on its own connection; return the outcomes in order."""
    barrier = threading.Barrier(len(works))

    def begin(work: Callable[[], Any]) -> Callable[[], Any]:
        def together() -> Any:
            connection.ensure_connection()
            barrier.wait(PATIENCE_SECONDS)
            return work()

        return together

    return [doing.result() for doing in [Doing(begin(work)) for work in works]]


def wait_until_it_waits(doing: Doing, *, or_is_over: bool = False) -> None:
    """Return when another connection to this database waits for a lock, while that goes on."""
    deadline = time.monotonic() + WAITS_WITHIN_SECONDS
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # inside a transaction it would not move
            cursor.execute(SOMEBODY_WAITS)
            if cursor.fetchone()[0] or (or_is_over and not doing.is_going_on):
                return
            assert doing.is_going_on, f"it waited for nothing: {doing.outcome}"
            assert time.monotonic() < deadline, "nobody waits for a lock"
            time.sleep(0.01)


@contextmanager
def going_on(works: Sequence[Callable[[], object]], every_seconds: float) -> Iterator[list[BaseException]]:
    """Do each of these again and again beside the block; yields the list of what went wrong."""
    is_over, problems = threading.Event(), list[BaseException]()

    def again_and_again(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            while not is_over.wait(every_seconds):
                try:
                    work()
                except BaseException as problem:
                    problems.append(problem)

        return run

    started = [Doing(again_and_again(work)) for work in works]
    try:
        yield problems
    finally:
        is_over.set()
        for doing in started:
            doing.result()
