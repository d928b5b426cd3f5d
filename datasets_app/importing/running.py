"""Run an import: one worker at a time, all of the file or nothing of it."""

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from datasets_app.importing.intake import Intake
from datasets_app.importing.progress import Progress, ProgressNote
from datasets_app.importing.reading import read_options, resolve_format
from datasets_app.importing.uploads import open_upload
from datasets_app.models import ImportJob, ImportState, Source, Upload, UploadChunk
from datasets_app.sources.records import SourceError
from datasets_app.sources.registry import read_source
from datasets_app.sources.steady import open_steady
from datasets_app.withdrawal import SourceWithdrawnError, hold_source

logger = logging.getLogger(__name__)

IMPORT_LOCK = 72001  # first half of a two-part advisory lock key; the second is the job
PROBLEM_CHARACTERS = 500
PAGE_PLAIN_BYTES = (
    1024 * 1024 * 1024
)  # of a file from the page; compressed, it may hold a thousand times that


class SourceBusyError(Exception):
    """Another import into the same source is waiting or running."""

    def __init__(self, source: Source) -> None:
        super().__init__(
            f"Another import into “{source.name}” is waiting or running: start this one when it has ended."
        )


def run_import(job_id: UUID) -> None:
    """Run a waiting import to its end; do nothing when it is not waiting or another worker has it."""
    with _import_lock(job_id) as is_ours:
        if not is_ours:
            return
        begun = ImportJob.objects.filter(pk=job_id, state=ImportState.QUEUED, upload__isnull=False).update(
            state=ImportState.RUNNING, started_at=Now()
        )
        if not begun:
            return
        job = ImportJob.objects.select_related("source").get(pk=job_id)
        upload = Upload.objects.select_related("data_key").get(job=job)
        _read_into(job, lambda: open_upload(upload), upload.size_bytes)


def import_file(
    *,
    path: Path,
    source: Source,
    format: str,
    options: Mapping[str, Any],
    campaign_slug: str = "",
) -> ImportJob:
    """Import a file of this machine, of any size, and return the job: done, or failed with its problem.

    Raises SourceBusyError, and OSError when the file cannot be opened.
    """
    job_id = uuid.uuid4()
    size_bytes = path.stat().st_size
    with _import_lock(job_id), open_steady(path, path.name) as file:
        try:
            with transaction.atomic():
                job = ImportJob.objects.create(
                    id=job_id,
                    source=source,
                    file_name=path.name[:255],
                    format=format,
                    options=dict(options),
                    campaign_slug=campaign_slug,
                    state=ImportState.RUNNING,
                    started_at=Now(),
                )
        except IntegrityError as error:
            raise SourceBusyError(source) from error

        def from_the_start() -> BinaryIO:
            file.seek(0)
            return file

        _read_into(job, from_the_start, size_bytes)
    job.refresh_from_db()
    return job


@contextmanager
def _import_lock(job_id: UUID) -> Iterator[bool]:
    """Hold the job's lock for this session, so that it goes with a killed worker; yields whether we do."""
    key = (IMPORT_LOCK, str(job_id))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", key)
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", key)


def is_lock_free(job_id: UUID) -> bool:
    """Say whether no session runs this import; if so, hold its lock to the end of our transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [IMPORT_LOCK, str(job_id)])
        return bool(cursor.fetchone()[0])


def _read_into(job: ImportJob, from_the_start: Callable[[], BinaryIO], size_bytes: int) -> None:
    """Read the whole file in one transaction and write down how it ended."""
    try:
        with transaction.atomic():
            _import_all(job, from_the_start, size_bytes)
    except (SourceError, SourceWithdrawnError) as error:
        _fail(job, str(error))
    except Exception as error:
        # Its message may quote the file: only its kind goes into the page, its places into the log.
        logger.exception("an import stopped", extra={"import_job": str(job.id)})
        _fail(
            job,
            f"{job.file_name}: Prometheus stopped with {type(error).__name__} and imported nothing; "
            f"try again, and if it stops again give an engineer the number of this import, {job.id}.",
        )


def _import_all(job: ImportJob, from_the_start: Callable[[], BinaryIO], size_bytes: int) -> None:
    hold_source(job.source_id)
    options = read_options(job.options, max_plain_bytes=PAGE_PLAIN_BYTES if job.upload_id else None)
    format = resolve_format(from_the_start(), name=job.file_name, format=job.format, options=options)
    stream = from_the_start()
    intake, note = Intake(job), ProgressNote(job.id)
    for record in read_source(stream, name=job.file_name, format=format, options=options):
        intake.take(record)
        fraction = min(1.0, stream.tell() / max(size_bytes, 1))
        note.write(Progress(kept=intake.kept, rejected=intake.rejected, fraction=fraction))
    intake.flush()
    ImportJob.objects.filter(pk=job.pk).update(
        state=ImportState.DONE,
        format=format,
        record_count=intake.kept + intake.rejected,
        kept_count=intake.kept,
        finished_at=Now(),
    )
    UploadChunk.objects.filter(upload__job=job).delete()
    logger.info(
        "an import is done",
        extra={"import_job": str(job.id), "kept": intake.kept, "rejected": intake.rejected},
    )


def _fail(job: ImportJob, problem: str) -> None:
    # A worker that lost its connection lost its lock as well: the attempt may not be its own any more.
    ImportJob.objects.filter(pk=job.pk, state=ImportState.RUNNING, attempts=job.attempts).update(
        state=ImportState.FAILED, problem=problem[:PROBLEM_CHARACTERS], finished_at=Now()
    )
