"""What leads read of campaigns on the admin pages; never a text, and nothing can be changed there."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from annotation.blindness import campaigns_blind_to, record_campaign_labels_read
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    GuidelineVersion,
    Label,
    Sample,
    SchemeVersion,
    SelectionRun,
)
from annotation.selection.services import SelectionRefusedError, cancel_selection, resume_selection
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.admin import ReadOnlyAdmin


class CampaignRowsAdmin(ReadOnlyAdmin):
    """Rows of the campaigns that the lead takes part in; people by their codes."""

    readers = (Role.LEAD,)

    def visible_to(self, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(campaign__in=Campaign.objects.visible_to(user))

    @admin.display(description="Simulated", boolean=True)
    def simulated(self, row: CampaignMember | Sample | Assignment | Label) -> bool:
        return row.campaign.is_simulated

    @admin.display(description="Person", ordering="annotator__code")
    def person(self, row: Assignment | Label) -> str:
        return row.annotator.code


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    readers = (Role.LEAD,)
    list_display = ("name", "slug", "state", "is_simulated", "scheme", "guideline", "created_at")
    list_filter = ("state", "is_simulated")
    list_select_related = ("scheme", "guideline")
    ordering = ("-created_at",)

    def visible_to(self, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(pk__in=Campaign.objects.visible_to(user).values("pk"))


@admin.register(CampaignMember)
class CampaignMemberAdmin(CampaignRowsAdmin):
    list_display = ("campaign", "simulated", "code", "user", "joined_at", "left_at")
    fields = list_display
    list_select_related = ("campaign", "user")
    ordering = ("campaign__name", "user__code")

    @admin.display(description="Code", ordering="user__code")
    def code(self, row: CampaignMember) -> str:
        return row.user.code


@admin.register(Sample)
class SampleAdmin(CampaignRowsAdmin):
    list_display = (
        "number",
        "campaign",
        "simulated",
        "window_start",
        "window_stop",
        "has_client_turn",
        "has_assistant_turn",
    )
    fields = (
        *list_display,
        "is_estimated_severe",
        "sampling_weight",
        "created_at",
    )
    list_select_related = ("campaign",)
    ordering = ("campaign__name", "number")


@admin.register(SelectionRun)
class SelectionRunAdmin(CampaignRowsAdmin):
    """Runs that select a campaign's samples; one is started on the campaign's page Selection."""

    actions = ("cancel", "run_again")
    change_list_template = "admin/annotation/selectionrun/change_list.html"
    list_display = ("created_at", "campaign", "state", "count", "seed", "asked_by", "finished_at")
    fields = (
        *list_display,
        "step",
        "done",
        "total",
        "attempts",
        "problem",
        "heartbeat_at",
        "cancel_asked_at",
        "started_at",
    )
    list_filter = ("state",)
    list_select_related = ("campaign", "started_by")
    ordering = ("-created_at",)

    @admin.display(description="Asked for by", ordering="started_by__code")
    def asked_by(self, run: SelectionRun) -> str:
        return run.started_by.code

    @admin.action(description="Cancel", permissions=["view"])
    def cancel(self, request: HttpRequest, runs: QuerySet[SelectionRun]) -> None:
        self._do(request, runs, cancel_selection, "Asked to stop")

    @admin.action(description="Run again", permissions=["view"])
    def run_again(self, request: HttpRequest, runs: QuerySet[SelectionRun]) -> None:
        self._do(request, runs, resume_selection, "Waits for a worker")

    def _do(
        self, request: HttpRequest, runs: QuerySet[SelectionRun], deed: Callable[..., object], done: str
    ) -> None:
        """Do it to each chosen run and say of each what became of it."""
        for run in runs.select_related("campaign"):
            named = f"{run.campaign.name}, {run.created_at:%Y-%m-%d %H:%M}"
            try:
                deed(run=run, user=request.user)
            except SelectionRefusedError as refused:
                self.message_user(request, f"{named}: {refused}", messages.ERROR)
            else:
                self.message_user(request, f"{named}: {done}.", messages.SUCCESS)


@admin.register(Assignment)
class AssignmentAdmin(CampaignRowsAdmin):
    """The slots that were labelled: beside an earlier look, an open one that is gone would be a pass."""

    list_display = ("sample", "campaign", "simulated", "person", "purpose", "state")
    fields = (*list_display, "repeat_number", "created_at")
    list_filter = ("purpose",)
    list_select_related = ("sample", "campaign", "annotator")
    ordering = ("campaign__name", "annotator__code", "position")

    def visible_to(self, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
        # A lead who labels here would see which samples come again unannounced.
        labelled = super().visible_to(user, rows).filter(state=AssignmentState.LABELLED)
        return labelled.exclude(campaign__in=campaigns_blind_to(user))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Take into the list's address what its filters offer; anything else could ask for passes."""
        return lookup == "purpose__exact"


@admin.register(Label)
class LabelAdmin(CampaignRowsAdmin):
    list_display = (
        "sample",
        "campaign",
        "person",
        "created_at",
        "guideline",
        "is_simulated",
        "is_correction",
    )
    fields = (*list_display, "scheme", "answers", "active_seconds", "supersedes")
    list_select_related = ("sample", "campaign", "annotator", "guideline")
    ordering = ("-created_at",)

    def visible_to(self, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
        standing = super().visible_to(user, rows).filter(undo__isnull=True)  # the others are nobody's answers
        return standing.exclude(campaign__in=campaigns_blind_to(user))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Take no answer into the list's address: the list shows none, and opening it is not written down."""
        return not lookup.startswith("answers") and super().lookup_allowed(lookup, value, request)

    @admin.display(description="Correction", boolean=True)
    def is_correction(self, row: Label) -> bool:
        return row.reason_id is not None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        user: Any = request.user
        given = Label.objects.select_related("campaign").get(pk=unquote(object_id))
        record_access(actor=user, action=Action.VIEWED, obj_type="label", obj_id=str(given.pk))
        record_campaign_labels_read(reader=user, campaign=given.campaign)
        return response


@admin.register(SchemeVersion)
class SchemeVersionAdmin(ReadOnlyAdmin):
    readers = (Role.LEAD,)
    list_display = ("title", "key", "version", "digest", "created_at")
    fields = (*list_display, "definition")
    ordering = ("key", "-created_at")

    def visible_to(self, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(pk__in=Campaign.objects.visible_to(user).values("scheme"))


@admin.register(GuidelineVersion)
class GuidelineVersionAdmin(ReadOnlyAdmin):
    readers = (Role.LEAD,)
    list_display = ("scheme_key", "version", "digest", "created_at")
    fields = (*list_display, "body")
    ordering = ("scheme_key", "-created_at")

    def visible_to(self, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(scheme_key__in=Campaign.objects.visible_to(user).values("scheme__key"))
