"""A compile whose map and shards are made by Celery workers, and whose pairs are found by DuckDB."""

from dataclasses import replace
from functools import partial

from datasets_app.compile.compiling import WORK_FOLDER, Report, Request, Verify, compile_dataset
from datasets_app.compile.contract import Manifest
from datasets_app.compile.grouping import candidates_by_duckdb
from datasets_app.compile.runner import Runner
from datasets_app.compile.workers import Workers
from datasets_app.tasks import fulfil_order
from prometheus_site.core.nudges import nudge


def compile_by_workers(request: Request, beside: Runner, verify: Verify, report: Report) -> Manifest:
    """Compile as compile_dataset does, by workers that see the same folders. Raises CompileError."""
    request = replace(request, out=request.out.resolve())  # a worker may stand in another folder
    work = request.out / WORK_FOLDER
    candidates = partial(candidates_by_duckdb, folder=work / "groups")
    workers = Workers(work, partial(nudge, fulfil_order), beside)
    manifest = compile_dataset(request, workers, verify, report, candidates)
    workers.clear()
    return manifest
