"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from prometheus_site.observability.health import health
from prometheus_site.progress.home import home, support
from prometheus_site.progress.views import progress

urlpatterns = [
    path("", home, name="home"),
    path("health/", health, name="health"),
    path("support/", support, name="support"),
    path("progress/", progress, name="progress"),
    path("board/", admin.site.urls),
    path("accounts/", include("prometheus_site.accounts.allauth_urls")),
    # After the features' own endpoints: it answers whatever is left below this address.
    path("api/v1/", include("annotation.api.urls")),
    path("api/v1/", include("prometheus_site.api.urls")),
    path("", include("prometheus_site.accounts.urls")),
    path("", include("datasets_app.importing.urls")),
    path("", include("datasets_app.runs.urls")),
    path("", include("annotation.urls")),
]

handler500 = "prometheus_site.error_pages.server_error"
