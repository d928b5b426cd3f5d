"""What leads and engineers read of sources, imports and runs on the admin pages: counts, never a text."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from datasets_app.importing.selectors import imports_visible_to, sources_visible_to
from datasets_app.models import DatasetRun, ImportJob, Source
from datasets_app.permissions import COUNT_READERS, RUNNERS
from datasets_app.phase1.state import STEPS
from datasets_app.runs.selectors import runs_visible_to
from datasets_app.runs.services import RunBusyError, RunStateError, cancel_run, resume_run
from datasets_app.runs.steps import step_title
from prometheus_site.accounts.models import User
from prometheus_site.core.admin import ReadOnlyAdmin


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    readers = COUNT_READERS
    list_display = ("name", "license_tag", "is_synthetic", "created_at", "withdrawn_at")
    fields = list_display
    list_filter = ("is_synthetic",)
    ordering = ("name",)

    def visible_to(self, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(pk__in=sources_visible_to(user).values("pk"))


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    readers = COUNT_READERS
    list_display = ("file_name", "source", "format", "state", "record_count", "kept_count", "created_at")
    fields = (*list_display, "campaign_slug", "attempts", "problem", "started_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("source",)
    ordering = ("-created_at",)

    def visible_to(self, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(pk__in=imports_visible_to(user).values("pk"))


@admin.register(DatasetRun)
class DatasetRunAdmin(ReadOnlyAdmin):
    """Runs of phase 1; to start one, each step has a link to the form that starts it."""

    readers = RUNNERS
    actions = ("cancel", "run_again")
    change_list_template = "admin/datasets_app/datasetrun/change_list.html"
    list_display = ("created_at", "state", "steps_in_words", "seed", "scale", "started_by", "finished_at")
    fields = (
        *list_display,
        "target",
        "attempts",
        "problem",
        "heartbeat_at",
        "cancel_asked_at",
        "cancel_asked_by",
        "started_at",
        "step_states",
    )
    list_filter = ("state",)
    list_select_related = ("started_by",)
    ordering = ("-created_at",)

    def visible_to(self, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(pk__in=runs_visible_to(user).values("pk"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        steps = [(name, step_title(name)) for name in STEPS]
        return super().changelist_view(request, {"steps": steps, **(extra_context or {})})

    @admin.display(description="Steps")
    def steps_in_words(self, run: DatasetRun) -> str:
        return run.steps_in_words

    @admin.action(description="Cancel", permissions=["view"])
    def cancel(self, request: HttpRequest, runs: QuerySet[DatasetRun]) -> None:
        self._do(request, runs, cancel_run, "Asked to stop")

    @admin.action(description="Run again from where it stopped", permissions=["view"])
    def run_again(self, request: HttpRequest, runs: QuerySet[DatasetRun]) -> None:
        self._do(request, runs, resume_run, "Waits for a worker")

    def _do(
        self, request: HttpRequest, runs: QuerySet[DatasetRun], deed: Callable[..., object], done: str
    ) -> None:
        """Do it to each chosen run and say of each what became of it."""
        for run in runs:
            try:
                deed(run=run, user=request.user)
            except (RunBusyError, RunStateError) as refused:
                self.message_user(request, f"{run.created_at:%Y-%m-%d %H:%M}: {refused}", messages.ERROR)
            else:
                self.message_user(request, f"{run.created_at:%Y-%m-%d %H:%M}: {done}.", messages.SUCCESS)
