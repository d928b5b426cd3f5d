"""One run of phase 1: step after step, each skipped where nothing changed, kept after each."""

import fcntl
from collections.abc import Collection, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from datasets_app.compile.compiling import PRIVATE
from datasets_app.compile.digests import digest_of
from datasets_app.compile.errors import CompileError
from datasets_app.extraction.extracting import ExtractionError
from datasets_app.generators.answers import NotAnswersError
from datasets_app.generators.port import UnusableGeneratorError
from datasets_app.nightmares.seed_file import SeedFileError
from datasets_app.phase1.plan import Plan, PlanError, found_sources
from datasets_app.phase1.state import (
    STATE_FILE,
    STEPS,
    Kept,
    Ledger,
    StepState,
    StepStatus,
    read_ledger,
    write_ledger,
)
from datasets_app.phase1.step import Context, Outcome, Progress, Step, StepError, StoppedError, Watcher, now
from datasets_app.phase1.steps import STEPS_BY_NAME
from datasets_app.publishing import NotPublishableError
from datasets_app.sources.records import SourceError
from datasets_app.storage import StorageError
from datasets_app.synthesis.generation import CannotGenerateError
from datasets_app.synthesis.grammar import GrammarError
from datasets_app.synthesis.safe_messaging import UnsafeRulesError
from datasets_app.verify import NotADatasetError

__all__ = ["StoppedError", "Watcher", "run_phase1"]

LOCK_FILE = ".lock"
IN_A_SENTENCE = (
    CannotGenerateError, CompileError, ExtractionError, GrammarError, NotADatasetError, NotAnswersError,
    NotPublishableError, PlanError, SeedFileError, SourceError, StepError, StorageError, UnsafeRulesError,
    UnusableGeneratorError,
)  # fmt: skip


def run_phase1(plan: Plan, workspace: Path, watcher: Watcher, only: Collection[str] = ()) -> list[StepState]:
    """Run the steps in order, or only those named, whose inputs must be there; the states of all steps.

    A step that fails ends the run: its state has the sentence, the later ones wait. Raises StoppedError when
    the watcher said so, and PlanError where the plan cannot be run at all.
    """
    workspace = workspace.resolve()
    _check(plan, workspace, only)
    with _alone_in(workspace), ExitStack() as stack:
        ledger = read_ledger(workspace)
        context = Context(plan, workspace, ledger.kept, stack)
        run = _Run(context, ledger, watcher)
        names = [name for name in STEPS if not only or name in only]
        run.wait_for(names)
        for name in names:
            if not run.go_through(STEPS_BY_NAME[name]):
                break
        return [ledger.states.get(name, StepState(name)) for name in STEPS]


class _Run:
    """The steps of one run, and the ledger they are kept in."""

    def __init__(self, context: Context, ledger: Ledger, watcher: Watcher) -> None:
        self._context = context
        self._ledger = ledger
        self._watcher = watcher
        self._current: dict[str, bool] = {}
        context.is_current = self.is_current

    def wait_for(self, names: Collection[str]) -> None:
        """Let every step that is asked for wait."""
        for name in names:
            self._ledger.states[name] = StepState(name)
        write_ledger(self._context.workspace, self._ledger)

    def is_current(self, name: str) -> bool:
        """Whether what was kept of a step is there, whole, and of this plan and these sources."""
        if name not in self._current:
            self._current[name] = self._stands(STEPS_BY_NAME[name], None)
        return self._current[name]

    def go_through(self, step: Step) -> bool:
        """Do a step, or find it unchanged; whether the run goes on."""
        state = StepState(step.name, StepStatus.RUNNING, started_at=now(), unit=step.unit)
        progress = Progress(state, self._watcher)
        self._keep(state)
        try:
            if self._watcher.should_stop():
                raise StoppedError(f"{step.name} was stopped.")
            fingerprint = _fingerprint(step, self._context)
            if self._stands(step, fingerprint):
                self._keep(_unchanged(self._ledger.kept[step.name].state, state))
                self._current[step.name] = True
                return True
            progress.state = replace(state, inputs=step.inputs(self._context))
            self._keep(progress.state)
            return self._done(step, fingerprint, progress, step.run(self._context, progress))
        except StoppedError:
            self._keep(replace(progress.state, status=StepStatus.STOPPED, ended_at=now()))
            raise
        except (*IN_A_SENTENCE, OSError, BrokenProcessPool) as error:
            if self._watcher.should_stop():  # helpers that were stopped too
                self._keep(replace(progress.state, status=StepStatus.STOPPED, ended_at=now()))
                raise StoppedError(f"{step.name} was stopped.") from error
            self._fail(progress.state, _sentence(error))
            return False
        except BaseException as error:
            self._fail(progress.state, f"{type(error).__name__}: see the log.")
            raise

    def _done(self, step: Step, fingerprint: str, progress: Progress, outcome: Outcome) -> bool:
        state = replace(
            progress.state,
            status=StepStatus.FAILED if outcome.problem else StepStatus.DONE,
            ended_at=now(),
            done=outcome.done,
            total=outcome.done,
            unit=outcome.unit or step.unit,
            outputs=outcome.outputs,
            counts=dict(outcome.counts),
            gates=outcome.gates,
            problem=outcome.problem,
        )
        if not outcome.problem:
            paths = {name: self._context.workspace / name for name in outcome.outputs}
            hashes = {name: self._context.hashes.of(path) for name, path in paths.items()}
            self._ledger.kept[step.name] = Kept(fingerprint, hashes, state)
        self._current[step.name] = not outcome.problem
        self._keep(state)
        return not outcome.problem

    def _stands(self, step: Step, fingerprint: str | None) -> bool:
        kept = self._ledger.kept.get(step.name)
        if kept is None:
            return False
        try:
            if kept.fingerprint != (fingerprint or _fingerprint(step, self._context)):
                return False
            workspace, hashes = self._context.workspace, self._context.hashes
            is_whole = all(hashes.of(workspace / name) == known for name, known in kept.outputs.items())
        except (OSError, StepError, PlanError):
            return False
        return is_whole and step.stands(self._context)

    def _fail(self, state: StepState, problem: str) -> None:
        self._keep(replace(state, status=StepStatus.FAILED, ended_at=now(), problem=problem))

    def _keep(self, state: StepState) -> None:
        self._ledger.states[state.name] = state
        write_ledger(self._context.workspace, self._ledger)
        self._watcher.changed(state)


def _fingerprint(step: Step, context: Context) -> str:
    return digest_of(step.name, step.facts(context))


def _unchanged(kept: StepState, state: StepState) -> StepState:
    return replace(kept, status=StepStatus.UNCHANGED, started_at=state.started_at, ended_at=now())


def _sentence(error: Exception) -> str:
    if isinstance(error, BrokenProcessPool):
        return "A process of this run was ended from outside, perhaps for memory: run the same command again."
    if isinstance(error, OSError):
        what = error.filename or "A file"
        return f"{what} cannot be read or written ({error.strerror}): mend that and run again."
    return str(error)


def _check(plan: Plan, workspace: Path, only: Collection[str]) -> None:
    if unknown := [name for name in only if name not in STEPS]:
        raise PlanError(f"There is no step {', '.join(unknown)}; there are {', '.join(STEPS)}.")
    folder = plan.source_folder
    if folder and (workspace.is_relative_to(folder) or folder.is_relative_to(workspace)):
        raise PlanError(
            f"The workspace {workspace} and the sources {folder} lie in one another, and what a run writes "
            "would be read as a source: name another folder by --out."
        )
    found_sources(plan)


@contextmanager
def _alone_in(workspace: Path) -> Iterator[None]:
    """Hold the workspace's lock, which goes with this process however it ends."""
    try:
        workspace.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        file = (workspace / LOCK_FILE).open("w")
    except OSError as error:
        raise PlanError(f"{workspace} cannot be written ({error.strerror}): name another folder.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PlanError(
                f"Another run is at work in {workspace}: wait until it has ended, or name another folder."
            ) from None
        for torn in workspace.glob(f".{STATE_FILE}.*"):
            torn.unlink()
        yield
