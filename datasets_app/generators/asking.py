"""Asks a generator for many answers: so many at once, again where it was busy, never beyond the budget."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from .answers import AnswerFile, Recorded, key_of
from .port import (
    BusyError,
    FailedError,
    Generator,
    RefusedError,
    Request,
    UnreachableError,
    UnusableGeneratorError,
    Usage,
)
from .transcript import is_storable

OVER_BUDGET = "over_budget"
MOST_ABSENT = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a generator may be pressed; the budget counts what its answers have cost before too."""

    at_once: int = 4
    tries: int = 5
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 60.0
    most_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request; `text` is empty but for an answer."""

    request: Request
    status: Literal["answered", "refused", "failed", "not_asked"]
    reason: str = ""
    text: str = ""


class Budget:
    """Tokens that may still be spent; the dearest answer possible is set aside before it is asked for."""

    def __init__(self, most_tokens: int | None, spent: int) -> None:
        self._most = most_tokens
        self.spent = spent
        self._reserved = 0
        self._changed = threading.Condition()

    def reserve(self, tokens: int) -> bool:
        """Set tokens aside, waiting for what others may give back; False when there is not enough."""
        with self._changed:
            while self._most is not None and self.spent + self._reserved + tokens > self._most:
                if not self._reserved:
                    return False
                self._changed.wait()
            self._reserved += tokens
            return True

    def settle(self, reserved: int, spent: int) -> None:
        """Give back what was set aside and count what was spent."""
        with self._changed:
            self._reserved -= reserved
            self.spent += spent
            self._changed.notify_all()


class Asker:
    """Asks through one generator and keeps every answer, refusal and failure in one file."""

    def __init__(
        self,
        generator: Generator,
        answers: AnswerFile,
        limits: Limits,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._generator, self._answers, self._limits, self._pause = generator, answers, limits, pause
        self._identity = dict(generator.identity)
        self._budget = Budget(limits.most_tokens, answers.spent_tokens)
        self._file_lock = threading.Lock()
        self._absent = 0  # dialogues running for which nobody was there
        at_once = min(limits.at_once, generator.most_at_once or limits.at_once)
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="asking")

    def __enter__(self) -> Asker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def spent_tokens(self) -> int:
        """Tokens spent so far, in this run and in those before it."""
        return self._budget.spent

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """The outcomes in the order of the requests, whatever the order of the answers."""
        return list(self._pool.map(self._outcome, requests))

    def _outcome(self, request: Request) -> Outcome:
        key = key_of(request, self._identity)
        with self._file_lock:
            known = self._answers.find(key)
        if known:
            return Outcome(request, known.status, known.reason, known.text)  # type: ignore[arg-type]
        for number in range(1, self._limits.tries + 1):
            self._refuse_absent()
            tried = self._tried(request, key)
            if not isinstance(tried, BusyError):
                return tried
            if number < self._limits.tries:
                self._pause(self._seconds_before(number, tried))
        self._count_absence(isinstance(tried, UnreachableError))
        return Outcome(request, "not_asked", tried.reason)  # not kept: another run may find it free

    def _tried(self, request: Request, key: str) -> Outcome | BusyError:
        """Ask once, within the budget, and keep what came of it and what it cost."""
        reserved = self._generator.reserve(request)
        if not self._budget.reserve(reserved):
            return Outcome(request, "not_asked", OVER_BUDGET)
        usage = Usage()
        try:
            found, usage = self._answered(request)
        finally:
            self._budget.settle(reserved, usage.total)
        if isinstance(found, Outcome):
            self._count_absence(False)
            self._keep(key, found, found.status, usage)
        elif usage.total:
            self._keep(key, Outcome(request, "not_asked", found.reason), "unanswered", usage)
        return found

    def _answered(self, request: Request) -> tuple[Outcome | BusyError, Usage]:
        try:
            answer = self._generator.answer(request)
        except RefusedError as refusal:
            return Outcome(request, "refused", refusal.reason), refusal.usage
        except FailedError as failure:
            return Outcome(request, "failed", failure.reason), failure.usage
        except BusyError as busy:
            return busy, busy.usage
        if not is_storable(answer.text):
            return Outcome(request, "failed", "invalid_text"), answer.usage
        return Outcome(request, "answered", text=answer.text), answer.usage

    def _count_absence(self, is_absent: bool) -> None:
        with self._file_lock:
            self._absent = self._absent + 1 if is_absent else 0

    def _refuse_absent(self) -> None:
        """Stop where the generator was not there for several dialogues running, each tried often enough."""
        if self._absent >= MOST_ABSENT:
            raise UnusableGeneratorError(
                f"Nobody answers: {self._absent} dialogues running could not be asked for, with "
                f"{self._limits.tries} tries each. Start the endpoint or correct its address, and run the "
                "same command again: what was answered is kept."
            )

    def _seconds_before(self, number: int, busy: BusyError) -> float:
        """Exponential back-off with full jitter, and no sooner than the endpoint asks for."""
        most = min(self._limits.longest_pause_seconds, self._limits.first_pause_seconds * 2 ** (number - 1))
        pause = random.uniform(0, most)  # noqa: S311  spreads the load, guards nothing
        return min(max(pause, busy.retry_after_seconds or 0), self._limits.longest_pause_seconds)

    def _keep(self, key: str, outcome: Outcome, status: str, usage: Usage) -> None:
        recorded = Recorded(
            key=key,
            request=outcome.request.key(),
            name=outcome.request.name,
            attempt=outcome.request.attempt,
            identity=self._identity,
            status=status,  # type: ignore[arg-type]
            reason=outcome.reason,
            text=outcome.text,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )
        with self._file_lock:
            self._answers.add(recorded)
