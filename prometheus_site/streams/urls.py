"""Every address of the streams process."""

from django.urls import path

from prometheus_site.observability.health import health
from prometheus_site.streams.views import campaign_agreement, campaign_pulse

urlpatterns = [
    path("health/", health, name="health"),
    # A proxy in front passes /streams/ on to this process, and everything else to the pages.
    path("streams/campaigns/<slug:slug>/pulse/", campaign_pulse, name="campaign_pulse"),
    path("streams/campaigns/<slug:slug>/agreement/", campaign_agreement, name="campaign_agreement"),
]
