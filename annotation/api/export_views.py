"""The endpoints that hand a campaign's labels to its leads as files."""

from collections.abc import Callable, Iterator

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema

from annotation import permissions
from annotation.api import export
from annotation.api.errors import RefusedError
from annotation.api.views import LabellingView
from annotation.blindness import is_blind_in, record_campaign_labels_read
from annotation.models import Campaign
from prometheus_site.accounts.roles import Role
from prometheus_site.api.views import ApiRequest
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

CLOSED_TO_THE_BLIND = (
    "You still have samples to label here, so what others answered stays closed to you: only blind labels "
    "count."
)


class ExportView(LabellingView):
    """The labels of a campaign, for its leads; closed to one who still labels there."""

    media_type: str
    suffix: str
    lines: Callable[[Campaign], Iterator[bytes]]  # the file, piece by piece

    def get(self, request: ApiRequest, slug: str) -> StreamingHttpResponse:
        """One row per label. A simulated campaign says so in every row and in the file's name."""
        lead = permissions.holder(request.user, Role.LEAD)
        campaign = permissions.campaign_for(lead, slug)
        if is_blind_in(lead, campaign):
            raise RefusedError(409, CLOSED_TO_THE_BLIND, "blind")
        record_access(actor=lead, action=Action.EXPORTED, obj_type="campaign", obj_id=str(campaign.pk))
        record_campaign_labels_read(reader=lead, campaign=campaign)
        kind = "simulated-labels" if campaign.is_simulated else "labels"
        name = f"{campaign.slug}-{kind}.{self.suffix}"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            # Why the file has fewer labels than were given: their makers took back the consent.
            "X-Labels-Withdrawn": str(export.withdrawn_in(campaign)),
        }
        return StreamingHttpResponse(self.lines(campaign), content_type=self.media_type, headers=headers)


@extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR}, summary="Export labels as CSV")
class ExportCsvView(ExportView):
    media_type, suffix = "text/csv; charset=utf-8", "csv"
    lines = staticmethod(export.as_csv)


@extend_schema(responses={(200, "application/jsonl"): OpenApiTypes.STR}, summary="Export labels as JSONL")
class ExportJsonlView(ExportView):
    media_type, suffix = "application/jsonl", "jsonl"
    lines = staticmethod(export.as_jsonl)
