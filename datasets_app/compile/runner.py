"""Who does the work of a stage: this process, or several; the bytes that come out are the same."""

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")
AHEAD = 16  # tasks handed out per process, so that a long plan need not be in memory


class Runner(Protocol):
    """Calls a module's function with each of the arguments; the results come in their order."""

    def map(self, function: Callable[..., Result], calls: Iterable[tuple[Any, ...]]) -> Iterator[Result]: ...


def undisturbed(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call without the search for cycles: records hold none, and the search takes a third of the time."""
    was_searching = gc.isenabled()
    gc.disable()
    try:
        return function(*arguments)
    finally:
        if was_searching:
            gc.enable()


class Inline:
    """One after the other, here."""

    def map(self, function: Callable[..., Result], calls: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
        for call in calls:
            yield undisturbed(function, *call)


class Pool:
    """By processes of this machine, each of them new, so that it does not matter what this one holds."""

    def __init__(self, executor: ProcessPoolExecutor, processes: int) -> None:
        self._executor = executor
        self._limit = processes * AHEAD

    def map(self, function: Callable[..., Result], calls: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
        waiting: deque[Future[Result]] = deque()
        try:
            for call in calls:
                waiting.append(self._executor.submit(undisturbed, function, *call))
                if len(waiting) >= self._limit:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Who stops early may take away what the calls that have begun work in.
            futures.wait([future for future in waiting if not future.cancel()])


@contextmanager
def runner_for(processes: int) -> Iterator[Runner]:
    """A pool of so many processes, or this process alone."""
    if processes <= 1:
        yield Inline()
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_follow_parent) as executor:
        try:
            yield Pool(executor, processes)
        except BaseException:
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def _follow_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it is killed: the pool itself would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
