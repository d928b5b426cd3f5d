"""Imports: the sealed upload, the job that reads it, and what was turned away."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from datasets_app.models.source import Source
from prometheus_site.core.models import DataKey


class Upload(models.Model):
    """A file somebody sent, sealed in chunks until it is imported or discarded."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file_name = models.CharField(max_length=255)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="uploads"
    )
    uploaded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"upload {self.id}"


class UploadChunk(models.Model):
    """A piece of an upload; deleted as soon as the import has ended."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    ciphertext = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "number"], name="uploadchunk_one_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} #{self.number}"


class ImportState(models.TextChoices):
    PREVIEW = "preview", "Being checked"
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class ImportJob(models.Model):
    """One reading of one file into one source; the row is the queue of record."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="imports")
    upload = models.OneToOneField(Upload, on_delete=models.PROTECT, null=True, related_name="job")
    file_name = models.CharField(max_length=255)
    format = models.CharField(max_length=40)
    options = models.JSONField(default=dict)  # encoding, column mapping, speaker names; never text
    campaign_slug = models.SlugField(blank=True)  # where the samples go; resolved by the app downstream
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    record_count = models.PositiveIntegerField(default=0)
    kept_count = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ImportState.values), name="importjob_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(state__in=["queued", "running"]),
                name="importjob_one_active_per_source",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(problem=""), name="importjob_failure_says_why"
            ),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="importjob_queue")]

    def __str__(self) -> str:
        return f"import of {self.file_name}"

    @property
    def rejected_count(self) -> int:
        return self.record_count - self.kept_count

    @property
    def is_active(self) -> bool:
        return self.state in {ImportState.QUEUED, ImportState.RUNNING}


def reason_name(reason: str) -> str:
    """Return the reason of a reject in words."""
    return reason.replace("_", " ").capitalize()


class ImportReject(models.Model):
    """A record that was turned away: where it stands, why, and what would mend it. Never its text."""

    job = models.ForeignKey(ImportJob, on_delete=models.PROTECT, related_name="rejects")
    row = models.PositiveIntegerField()
    reason = models.CharField(max_length=40)
    field = models.CharField(max_length=120, blank=True)
    remedy = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["job", "reason", "row"], name="importreject_job_reason")]

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason}"

    @property
    def reason_name(self) -> str:
        return reason_name(self.reason)
