"""What people do with imports, and how a lost one comes back into the queue."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from datasets_app.importing.running import SourceBusyError, is_lock_free
from datasets_app.importing.uploads import seal_upload
from datasets_app.models import ImportJob, ImportState, Source, Upload, UploadChunk
from datasets_app.tasks import import_conversations
from datasets_app.withdrawal import hold_source
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.nudges import nudge

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
UPLOAD_KEPT_HOURS = 24
UNKNOWN_LICENSE = "unknown"


class ImportStateError(Exception):
    """The import is past the point where this could be done."""


class SourceExistsError(Exception):
    """A new source was asked for under a name that is taken."""


def add_source(*, name: str, license_tag: str, is_synthetic: bool, user: "User | None") -> Source:
    """Create a source. Raises SourceExistsError when the name is taken."""
    source, is_new = Source.objects.get_or_create(
        name=name,
        defaults={
            "license_tag": license_tag or UNKNOWN_LICENSE,
            "is_synthetic": is_synthetic,
            "created_by": user,
        },
    )
    if not is_new:
        raise SourceExistsError(f"There is already a source named “{name}”: choose it from the list.")
    return source


@transaction.atomic
def store_upload(
    *,
    file: "UploadedFile[bytes]",
    source: Source | None,
    new_source: str,
    license_tag: str,
    is_synthetic: bool,
    format: str,
    encoding: str,
    campaign: str,
    user: "User",
) -> Upload:
    """Seal the file and open a preview of it. Raises SourceExistsError and SourceWithdrawnError."""
    if source is None:
        source = add_source(name=new_source, license_tag=license_tag, is_synthetic=is_synthetic, user=user)
    source = hold_source(source.pk)
    upload = seal_upload(file=file, source=source, user=user)
    ImportJob.objects.create(
        source=source,
        upload=upload,
        file_name=upload.file_name,
        format=format,
        options={"encoding": encoding, "columns": {}, "speakers": {}},
        campaign_slug=campaign,
        state=ImportState.PREVIEW,
        created_by=user,
    )
    return upload


def choose_reading(*, job: ImportJob, format: str, options: Mapping[str, Any]) -> None:
    """Set how the previewed file is read. Raises ImportStateError when it is no longer a preview."""
    changed = ImportJob.objects.filter(pk=job.pk, state=ImportState.PREVIEW).update(
        format=format, options=dict(options)
    )
    _must_have_changed(changed)


@transaction.atomic
def start_import(*, job: ImportJob, user: "User") -> None:
    """Queue the previewed file. Raises ImportStateError, or SourceBusyError while another import runs."""
    try:
        with transaction.atomic():
            changed = ImportJob.objects.filter(pk=job.pk, state=ImportState.PREVIEW).update(
                state=ImportState.QUEUED, created_by=user, created_at=Now()
            )
    except IntegrityError as error:  # importjob_one_active_per_source
        raise SourceBusyError(job.source) from error
    _must_have_changed(changed)
    record_access(actor=user, action=Action.CREATED, obj_type="import_job", obj_id=str(job.pk))
    transaction.on_commit(lambda: nudge(import_conversations, str(job.pk)))


@transaction.atomic
def discard_upload(*, upload: Upload) -> None:
    """Delete the file's content; a preview vanishes whole, a failed import stays in the list.

    Raises ImportStateError while the import is waiting or running.
    """
    job = ImportJob.objects.select_for_update(of=("self",)).select_related("source").get(upload=upload)
    if job.is_active:
        raise ImportStateError("This import is waiting or running: its file goes when it has ended.")
    UploadChunk.objects.filter(upload=upload).delete()
    if job.state == ImportState.PREVIEW:
        job.delete()
        upload.delete()
        _delete_if_unused(job.source)


@transaction.atomic
def retry_import(*, job: ImportJob, user: "User") -> Upload:
    """Open a new preview of a failed import's file. Raises ImportStateError when the file is gone."""
    failed = ImportJob.objects.select_for_update().get(pk=job.pk)
    upload = Upload.objects.filter(job=failed, chunks__number=0).first()
    if failed.state != ImportState.FAILED or upload is None:
        raise ImportStateError("The file of this import is not kept any more: upload it again.")
    failed.upload = None
    failed.save(update_fields=["upload"])
    ImportJob.objects.create(
        source=failed.source,
        upload=upload,
        file_name=failed.file_name,
        format=failed.format,
        options=failed.options,
        campaign_slug=failed.campaign_slug,
        state=ImportState.PREVIEW,
        created_by=user,
    )
    return upload


def requeue_lost_imports() -> int:
    """Put imports whose worker died back into the queue and nudge all that wait; return how many were lost.

    For the sweeper. An import that was lost three times fails with a sentence.
    """
    running = ImportJob.objects.filter(state=ImportState.RUNNING).values_list("pk", flat=True)
    lost = sum(_requeue_if_lost(job_id) for job_id in running)
    waiting = ImportJob.objects.filter(state=ImportState.QUEUED, upload__isnull=False)
    for job_id in waiting.order_by("created_at").values_list("pk", flat=True):
        if not nudge(import_conversations, str(job_id)):
            break
    return lost


def discard_abandoned_uploads() -> int:
    """Delete the files that nobody imported within a day and return how many; for the sweeper."""
    old = Upload.objects.filter(
        uploaded_at__lt=timezone.now() - timedelta(hours=UPLOAD_KEPT_HOURS),
        job__state__in=[ImportState.PREVIEW, ImportState.FAILED],
        chunks__number=0,
    )
    uploads = list(old)
    for upload in uploads:
        discard_upload(upload=upload)
    return len(uploads)


@transaction.atomic
def _requeue_if_lost(job_id: UUID) -> bool:
    if not is_lock_free(job_id):
        return False
    job = ImportJob.objects.select_for_update().filter(pk=job_id, state=ImportState.RUNNING).first()
    if job is None:
        return False
    job.attempts += 1
    if job.upload_id is None:
        _end_lost(job, "the command that read this file was stopped, and nothing was imported; run it again.")
    elif job.attempts >= MAX_ATTEMPTS:
        _end_lost(job, f"this import was stopped {MAX_ATTEMPTS} times before its end; nothing was imported.")
    else:
        job.state = ImportState.QUEUED
    job.save(update_fields=["state", "attempts", "problem", "finished_at"])
    logger.warning("an import lost its worker", extra={"import_job": str(job.pk), "state": job.state})
    return True


def _end_lost(job: ImportJob, problem: str) -> None:
    job.state = ImportState.FAILED
    job.problem = f"{job.file_name}: {problem}"
    job.finished_at = timezone.now()


def _delete_if_unused(source: Source) -> None:
    """Delete a source that was only named for a file which was then discarded; a withdrawn one stays."""
    if source.withdrawn_at is None and not source.imports.exists():
        source.delete()


def _must_have_changed(changed: int) -> None:
    if not changed:
        raise ImportStateError("This file is not waiting to be checked any more: see its import.")
