"""What a step of a run is, what it is told, and what it gives back."""

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from datasets_app.compile.digests import digest_of
from datasets_app.compile.runner import Runner, runner_for
from datasets_app.phase1.plan import Plan
from datasets_app.phase1.state import MET, NOT_MET, Kept, StepState

APP = Path(__file__).parent.parent
CODE_SUFFIXES = (".py", ".yaml", ".json")
SECONDS_BETWEEN_REPORTS = 0.25
READ_BYTES = 1024 * 1024
Result = TypeVar("Result")


class StepError(Exception):
    """The step cannot be done, in a sentence with the remedy."""


class StoppedError(Exception):
    """Somebody asked the run to stop; what is done is kept, and the next run goes on."""


class Watcher(Protocol):
    """Who is told of a run and may stop it."""

    def changed(self, state: StepState) -> None:
        """Called at each change of a step, and at most a few times a second while it runs."""

    def should_stop(self) -> bool:
        """Whether the run is to stop; asked at most a few times a second."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step came to; `problem` says in a sentence why it cannot be built upon."""

    outputs: tuple[str, ...] = ()
    done: int = 0
    unit: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    gates: tuple[tuple[str, str], ...] = ()
    problem: str = ""


class Progress:
    """How far a step is, told to the watcher a few times a second."""

    def __init__(self, state: StepState, watcher: Watcher) -> None:
        self.state = state
        self._watcher = watcher
        self._told_at = -SECONDS_BETWEEN_REPORTS

    def report(self, done: int, total: int | None = None, unit: str = "") -> None:
        """So much is done, of so much where that is known. Raises StoppedError."""
        self.state = replace(self.state, done=done, total=total, unit=unit or self.state.unit)
        now = time.monotonic()
        if now - self._told_at < SECONDS_BETWEEN_REPORTS:
            return
        self._told_at = now
        if self._watcher.should_stop():
            raise StoppedError(f"{self.state.name} was stopped.")
        self._watcher.changed(self.state)


class Hashes:
    """The SHA-256 of files, computed once for as long as a file is the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int, int, int], str] = {}

    def of(self, path: Path) -> str:
        """The SHA-256 of a file. Raises OSError."""
        status = path.stat()
        key = (path, status.st_ino, status.st_size, status.st_mtime_ns)
        if key not in self._known:
            with path.open("rb") as file:
                self._known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._known[key]


class Context:
    """One run: its plan, its workspace, and what was kept of the steps before."""

    def __init__(self, plan: Plan, workspace: Path, kept: dict[str, Kept], stack: ExitStack) -> None:
        self.plan = plan
        self.workspace = workspace
        self.kept = kept
        self.hashes = Hashes()
        self.is_current: Callable[[str], bool] = lambda name: name in kept
        self._stack = stack
        self._runner: Runner | None = None

    @property
    def dataset(self) -> Path:
        """The folder of the compiled dataset."""
        return self.workspace / "dataset"

    @property
    def runner(self) -> Runner:
        """The processes of the run, started when a step first needs them."""
        if self._runner is None:
            self._runner = self._stack.enter_context(runner_for(self.plan.processes))
        return self._runner

    def path(self, name: str) -> Path:
        """A file of the workspace, whose folder is there."""
        path = self.workspace / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def outputs_of(self, step: str) -> dict[str, str]:
        """The files of an earlier step with their SHA-256. Raises StepError where it has to be done first."""
        if not self.is_current(step):
            raise StepError(f"{step} is not there for this plan and these sources: run that step first.")
        return self.kept[step].outputs


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `facts` is all that its outcome hangs on, `inputs` names what it reads.

    `stands` says whether what was made elsewhere than in the workspace is still there.
    """

    name: str
    unit: str
    inputs: Callable[[Context], tuple[str, ...]]
    facts: Callable[[Context], object]
    run: Callable[[Context, Progress], Outcome]
    stands: Callable[[Context], bool] = lambda context: True


class WatchedRunner:
    """A runner that says how many of so many calls are done; what is called after them all, it lets pass."""

    def __init__(self, runner: Runner, progress: Progress, total: int, unit: str) -> None:
        self._runner = runner
        self._progress = progress
        self._total = total
        self._unit = unit
        self._done = 0

    def map(self, function: Callable[..., Result], calls: Any) -> Any:
        for result in self._runner.map(function, calls):
            self._done = min(self._done + 1, self._total)
            self._progress.report(self._done, self._total, self._unit)
            yield result


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


def verdict(holds: bool) -> str:
    """A gate's verdict as it is kept."""
    return MET if holds else NOT_MET


def unmet(gates: tuple[tuple[str, str], ...]) -> str:
    """The sentence for gates that are not met, or nothing."""
    names = [name for name, said in gates if said != MET]
    return f"These gates do not hold: {', '.join(names)}." if names else ""


@lru_cache
def code_of(*names: str) -> str:
    """A digest of packages and modules of this app, their data files among them: other code, other output."""
    files: list[Path] = []
    for name in names:
        place = APP / name
        files += (
            [one for one in place.rglob("*") if one.suffix in CODE_SUFFIXES] if place.is_dir() else [place]
        )
    return digest_of(
        [
            [path.relative_to(APP).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()]
            for path in sorted(files)
        ]
    )
