"""The work of a compile by Celery workers that see the same folder: orders and answers are files in it.

The broker only nudges, and may lose what it was told. A worker holds the lock of an order while it works on
it; an order that nobody answers or holds is nudged again. Orders hold paths and settings, no text.
"""

import fcntl
import logging
import shutil
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, get_type_hints

import msgspec

from datasets_app.compile.digests import digest_of
from datasets_app.compile.errors import CompileError
from datasets_app.compile.mapping import map_chunk
from datasets_app.compile.runner import Result, Runner, undisturbed
from datasets_app.compile.store import read_json, write_json
from datasets_app.compile.writing import write_shard

FUNCTIONS: dict[str, Callable[..., Any]] = {"map_chunk": map_chunk, "write_shard": write_shard}
ORDERS, BUSY = "orders", "workers.lock"
AHEAD = 32  # orders that are open at a time
LOOK_EVERY_SECONDS = 0.05
NUDGE_AGAIN_SECONDS = 5.0
GIVE_UP_SECONDS = 60.0

logger = logging.getLogger(__name__)
Nudge = Callable[[str], object]  # tells the workers of an order's file; does nothing where no broker answers


class Workers:
    """Runs what is in FUNCTIONS by workers, and everything else by the runner beside them.

    Raises CompileError, where a worker's work does or where no worker takes an order up.
    """

    def __init__(self, work: Path, nudge: Nudge, beside: Runner) -> None:
        self._work = work
        self._nudge = nudge
        self._beside = beside
        self._folder: Path | None = None

    def map(self, function: Callable[..., Result], calls: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
        if function.__name__ not in FUNCTIONS:
            yield from self._beside.map(function, calls)
            return
        folder = self._begun()
        waiting: deque[_Order] = deque()
        for call in calls:
            order = _Order.written(folder, function.__name__, call)
            self._nudge(str(order.path))
            waiting.append(order)
            if len(waiting) >= AHEAD:
                yield self._answer(waiting.popleft())
        while waiting:
            yield self._answer(waiting.popleft())

    def clear(self) -> None:
        """Take the orders away once all are answered."""
        shutil.rmtree(self._work / ORDERS, ignore_errors=True)

    def _begun(self) -> Path:
        """The folder of this run's orders. Who still works for a run that was stopped is waited for."""
        if self._folder is None:
            with _locked(self._work / BUSY, fcntl.LOCK_EX):
                shutil.rmtree(self._work / ORDERS, ignore_errors=True)
                self._folder = self._work / ORDERS / uuid.uuid4().hex
                self._folder.mkdir(parents=True)
        return self._folder

    def _answer(self, order: "_Order") -> Any:
        """Wait for the answer, and nudge again while nobody has the order."""
        idle_since = nudged_at = time.monotonic()
        while not order.answer.exists():
            time.sleep(LOOK_EVERY_SECONDS)
            now = time.monotonic()
            if now - nudged_at < NUDGE_AGAIN_SECONDS:
                continue
            if order.is_held():
                idle_since = now
            elif now - idle_since > GIVE_UP_SECONDS:
                raise CompileError(
                    f"No worker has taken up the work for {GIVE_UP_SECONDS:.0f} seconds. Start one that "
                    f"sees {self._work.parent} (celery --app prometheus_site worker), or compile without "
                    "workers; what was made is kept."
                )
            else:
                self._nudge(str(order.path))
            nudged_at = now
        answer = read_json(order.answer)
        if problem := answer.get("problem"):
            raise CompileError(problem)
        return answer["result"]


class _Order:
    """One call of a function, as a file; its answer stands beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answer = path.with_suffix(".answer.json")

    @classmethod
    def written(cls, folder: Path, name: str, call: tuple[Any, ...]) -> "_Order":
        order = {"function": name, "arguments": msgspec.to_builtins(call)}
        path = folder / f"{digest_of(order['function'], order['arguments'])}.json"
        write_json(path, order)
        return cls(path)

    def is_held(self) -> bool:
        """Whether a worker has it now."""
        with self.path.open("r+b") as file:
            return not _has_locked(file)


def fulfil(path: Path) -> None:
    """Do what an order says and write its answer, unless another worker has it or nobody waits for it."""
    if path.parent.parent.name != ORDERS or not path.exists():
        return
    with _locked(path.parent.parent.parent / BUSY, fcntl.LOCK_SH):
        order = _Order(path)
        try:
            file = path.open("r+b")
        except FileNotFoundError:  # the run was stopped meanwhile, and another began
            return
        with file:
            if not _has_locked(file) or order.answer.exists():
                return
            write_json(order.answer, _answer_to(read_json(path)))


def _answer_to(order: dict[str, Any]) -> dict[str, Any]:
    function = FUNCTIONS[order["function"]]
    hints = get_type_hints(function)
    hints.pop("return")
    arguments = [
        msgspec.convert(value, kind) for value, kind in zip(order["arguments"], hints.values(), strict=True)
    ]
    try:
        return {"result": msgspec.to_builtins(undisturbed(function, *arguments))}
    except CompileError as error:
        return {"problem": str(error)}
    except Exception as error:
        logger.exception("an order of a compile could not be carried out")
        return {"problem": f"A worker could not do its part ({type(error).__name__}); its log says where."}


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    path.touch()
    with path.open("r+b") as file:
        fcntl.flock(file, kind)
        yield


def _has_locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
