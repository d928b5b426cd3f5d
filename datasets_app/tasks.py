"""Background work of the data app; each task takes an id and calls a service."""

from pathlib import Path
from uuid import UUID

from datasets_app.importing.running import run_import
from prometheus_site.celery import app


@app.task
def import_conversations(job_id: str) -> None:
    """Run one import, unless it has ended or another worker has it."""
    run_import(UUID(job_id))


@app.task
def fulfil_order(path: str) -> None:
    """Do a part of a compile that another process has ordered."""
    # Here, because every web process knows the tasks, and only a compile needs the kernel's compiler.
    from datasets_app.compile.workers import fulfil

    fulfil(Path(path))


@app.task
def run_dataset(run_id: str) -> None:
    """Carry out one run of phase 1, unless it has ended or another worker is at one."""
    # Here for the same reason.
    from datasets_app.runs.running import carry_out

    carry_out(UUID(run_id))
