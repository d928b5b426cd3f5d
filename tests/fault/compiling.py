"""A compile in a process of its own that says a line at every step, so that it can be killed at one."""

import sys
from pathlib import Path

import django

from datasets_app.compile import chunks, workers
from datasets_app.compile.compiling import Given, Request, compile_dataset
from datasets_app.compile.config import load_config
from datasets_app.compile.contract import Manifest
from datasets_app.compile.runner import runner_for
from datasets_app.verify import verify_local

CHUNK_BYTES = 40_000


def compile_it(
    source: Path, out: Path, processes: int, *, is_telling: bool = False, by_workers: bool = False
) -> Manifest:
    """Compile the source, which may have been begun before."""
    chunks.CHUNK_BYTES = CHUNK_BYTES
    request = Request((Given(source, "professional_therapeutic"),), load_config(), out, 1)

    def report(step: str, done: int) -> None:
        if is_telling:
            print(step, done, flush=True)

    with runner_for(processes) as runner:
        if by_workers:
            django.setup()  # for the tasks; without workers no part of Django is needed
            from datasets_app.distributed import compile_by_workers

            return compile_by_workers(request, runner, verify_local, report)
        return compile_dataset(request, runner, verify_local, report)


if __name__ == "__main__":
    given, target, means = sys.argv[1:]
    if means == "workers":
        workers.NUDGE_AGAIN_SECONDS = 0.5
        compile_it(Path(given), Path(target), 1, is_telling=True, by_workers=True)
    else:
        compile_it(Path(given), Path(target), int(means), is_telling=True)
