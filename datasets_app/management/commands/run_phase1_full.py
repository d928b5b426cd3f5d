"""All of phase 1 by one command, from sources to a published dataset; needs no database."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper

from datasets_app.phase1.in_words import line_of, report_lines
from datasets_app.phase1.plan import Plan, PlanError, load_plan
from datasets_app.phase1.report import report_of
from datasets_app.phase1.running import StoppedError, run_phase1
from datasets_app.phase1.state import MET, STEPS, StepState, StepStatus
from datasets_app.phase1.step import now

UNUSABLE = 2
STDERR = 2
STOPPING = b"\nStopping when what is begun is done; Ctrl-C again ends it at once.\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
ENDED = (StepStatus.DONE, StepStatus.UNCHANGED)


class Command(BaseCommand):
    help = (
        "Make the foundation dataset: edge cases, clinical extremes, long sessions of the sources, compile, "
        "the eight gates, publishing, card and report. Run it again and only what changed is done; after "
        "Ctrl-C or any other stop it goes on, to the same bytes. Exit code 0 when all went well and every "
        "gate holds, 1 when not, 2 when the arguments cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--plan", type=Path, metavar="YAML", help="laid over the plan that is shipped (phase1.yaml)"
        )
        parser.add_argument(
            "--sources", type=Path, metavar="FOLDER", help="real sources, which are only read"
        )
        parser.add_argument("--out", type=Path, required=True, metavar="WORKSPACE")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--to", metavar="PATH|s3://…", help="where it is published")
        parser.add_argument(
            "--scale", type=int, default=1, help="a rehearsal: so many times the synthesis, marked as such"
        )
        parser.add_argument(
            "--only", nargs="+", choices=STEPS, default=(), metavar="STEP", help=", ".join(STEPS)
        )
        parser.add_argument("--processes", type=int, help="the bytes are the same (default: all processors)")

    def handle(self, *args: Any, out: Path, only: Sequence[str], **options: Any) -> None:
        try:
            plan = _plan(options)
            watcher = Printer(self.stdout, self.stderr)
            with watcher.stopped_by_signals():
                states = run_phase1(plan, out, watcher, only)
        except PlanError as error:
            raise CommandError(str(error), returncode=UNUSABLE) from None
        except StoppedError as stopped:
            raise CommandError(f"{stopped} Run the same command again and it goes on.") from None
        self._close(out, states, only)

    def _close(self, out: Path, states: Sequence[StepState], only: Sequence[str]) -> None:
        asked = [state for state in states if not only or state.name in only]
        if asked[-1].name == "describe" and asked[-1].status in ENDED and (report := report_of(out)):
            for line in report_lines(report):
                self.stdout.write(line)
        for state in asked:
            if state.problem:
                raise CommandError(f"{state.name}: {state.problem}")
        unmet = [f"{state.name}: {name}" for state in asked for name, said in state.gates if said != MET]
        if unmet or any(state.status not in ENDED for state in asked):
            raise CommandError(
                f"These gates do not hold: {', '.join(unmet)}." if unmet else "Not all was done."
            )


class Printer:
    """Prints a line for each step that ends and, where somebody looks, how far the running one is."""

    def __init__(self, out: OutputWrapper, live: OutputWrapper) -> None:
        self._out = out
        self._live = live
        self._is_stopping = False
        self._has_line = False

    def changed(self, state: StepState) -> None:
        """Say how a step stands."""
        if state.status is StepStatus.RUNNING:
            if self._live.isatty():
                self._live.write(f"\r{line_of(state, now())}\033[K", ending="")
                self._live.flush()
                self._has_line = True
            return
        if state.status is not StepStatus.WAITING:
            self._clear()
            self._out.write(line_of(state, now()))
            self._out.flush()

    def should_stop(self) -> bool:
        """Whether a signal came."""
        return self._is_stopping

    @contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """Take the first Ctrl-C as a wish to stop cleanly, and the second as it usually is."""
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._clear()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True
        os.write(STDERR, STOPPING)  # a handler may have come in the middle of a print
        for one in SIGNALS:
            signal.signal(one, signal.SIG_DFL)

    def _clear(self) -> None:
        if self._has_line:
            self._live.write("\r\033[K", ending="")
            self._has_line = False


def _plan(options: dict[str, Any]) -> Plan:
    plan = load_plan(
        options["plan"],
        seed=options["seed"],
        sources=options["sources"],
        target=options["to"],
        scale=options["scale"],
    )
    if options["processes"] is None:
        return plan
    if options["processes"] < 1:
        raise PlanError(f"--processes {options['processes']}: it is at least 1.")
    return replace(plan, processes=options["processes"])
