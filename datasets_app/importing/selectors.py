"""What the data pages show, as far as the person may see it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count, Prefetch, QuerySet

from datasets_app.models import Conversation, ImportJob, ImportReject, ImportState, Source, Upload
from datasets_app.models.importing import reason_name
from datasets_app.permissions import COUNT_READERS
from prometheus_site.accounts.roles import Role

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


@dataclass(frozen=True)
class ReasonCount:
    """How many records were turned away for one reason."""

    reason: str
    count: int

    @property
    def name(self) -> str:
        return reason_name(self.reason)


def sources_visible_to(user: "User") -> QuerySet[Source]:
    """Return the sources whose counts this person may see: the choke point of every data page."""
    return Source.objects.all() if user.has_role(*COUNT_READERS) else Source.objects.none()


def sources_with_counts(user: "User") -> QuerySet[Source]:
    """Return the sources by name, with `conversation_count` and their imports, newest first."""
    imports = ImportJob.objects.exclude(state=ImportState.PREVIEW).order_by("-created_at")
    return (
        sources_visible_to(user)
        .annotate(conversation_count=Count("conversations"))
        .prefetch_related(Prefetch("imports", queryset=imports))
        .order_by("name")
    )


def imports_visible_to(user: "User") -> QuerySet[ImportJob]:
    """Return the imports whose counts this person may see; a preview is none yet."""
    started = ImportJob.objects.exclude(state=ImportState.PREVIEW)
    return started.filter(source__in=sources_visible_to(user)).select_related("source")


def uploads_visible_to(user: "User") -> QuerySet[Upload]:
    """Return the uploads whose text this person may see: leads only."""
    if not user.has_role(Role.LEAD):
        return Upload.objects.none()
    return Upload.objects.filter(job__isnull=False).select_related("job__source", "data_key")


def open_previews(user: "User") -> QuerySet[Upload]:
    """Return the uploads that somebody has not imported or discarded yet, newest first."""
    return uploads_visible_to(user).filter(job__state=ImportState.PREVIEW).order_by("-uploaded_at")


def can_try_again(user: "User", job: ImportJob) -> bool:
    """Say whether the import failed, its file is still kept, and the person may import."""
    if job.state != ImportState.FAILED or job.upload_id is None:
        return False
    return uploads_visible_to(user).filter(pk=job.upload_id, chunks__isnull=False).exists()


def conversations_of(
    user: "User", *, source_id: UUID | None = None, import_id: UUID | None = None
) -> QuerySet[Conversation]:
    """Return the facts of conversations, of one source or one import; nobody's text."""
    found = Conversation.objects.filter(source__in=sources_visible_to(user)).select_related("source")
    if source_id is not None:
        found = found.filter(source_id=source_id)
    if import_id is not None:
        found = found.filter(import_job_id=import_id)
    return found.order_by("created_at", "row", "id")


def rejects_of(job: ImportJob, reason: str = "") -> QuerySet[ImportReject]:
    """Return what this import turned away, in the file's order; of one reason when it is given."""
    found = ImportReject.objects.filter(job=job).order_by("row", "id")
    return found.filter(reason=reason) if reason else found


def reject_counts(job: ImportJob) -> list[ReasonCount]:
    """Return the number of rejects by reason, most frequent first."""
    rows = ImportReject.objects.filter(job=job).values("reason").annotate(count=Count("id"))
    return [ReasonCount(row["reason"], row["count"]) for row in rows.order_by("-count", "reason")]
