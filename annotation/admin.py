"""What leads read of campaigns on the admin pages; never a text, and nothing can be changed there."""

from typing import Any

from django.contrib import admin
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
)
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
