"""The endpoints by which a working page counts active time and shows what has counted."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.response import Response

from annotation import permissions
from annotation.api import serializers as shapes
from annotation.models import Activity, Campaign
from annotation.pay import selectors
from annotation.pay.services import record_heartbeat
from annotation.pay.spans import Month
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.api.views import ApiRequest, ApiView


class HoursApiView(ApiView):
    """Base of what a paid person's page asks about that person's own time."""

    def worker_in(self, request: ApiRequest, slug: str) -> tuple[User, Campaign]:
        """Return who works and where; a page whose person has changed since counts for nobody."""
        page_of = request.headers.get("X-Person", request.user.code)
        if request.auth is None and page_of != request.user.code:
            raise NotAuthenticated
        person = permissions.holder(request.user, Role.ANNOTATOR, Role.ADJUDICATOR)
        return person, permissions.campaign_row_for(person, slug)


class HeartbeatView(HoursApiView):
    @extend_schema(
        request=shapes.HeartbeatFields, responses=shapes.CountedFields, summary="Count active time"
    )
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Count active seconds up to now: each second once, whatever other tabs say."""
        person, campaign = self.worker_in(request, slug)
        fields = shapes.HeartbeatFields(data=request.data)
        fields.is_valid(raise_exception=True)
        given = fields.validated_data
        beat = record_heartbeat(
            person=person,
            campaign=campaign,
            key=given["key"],
            active_seconds=given["active_seconds"],
            activity=Activity(given["activity"]),
        )
        return Response({"counted_seconds": (beat.ended_at - beat.started_at).total_seconds()})


class HoursView(HoursApiView):
    @extend_schema(responses=shapes.HoursFields, summary="Own hours")
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Return what counts of today and of this month."""
        person, campaign = self.worker_in(request, slug)
        zone = selectors.zone_of(campaign)
        sheet = selectors.sheet_of(campaign, person, Month.of(timezone.now(), zone))
        return Response(
            {
                "seconds_today": int(selectors.today_of(sheet, zone).total_seconds()),
                "seconds_this_month": int(sheet.time.total_seconds()),
            }
        )
