"""What leads and engineers read of sources and imports on the admin pages: counts, never a text."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from datasets_app.importing.selectors import imports_visible_to, sources_visible_to
from datasets_app.models import ImportJob, Source
from datasets_app.permissions import COUNT_READERS
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
