"""The admin site, whose index is the lead's board and whose only door is the site's own login."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode


class BoardAdminConfig(AdminConfig):
    """django.contrib.admin with our site as the default one."""

    default_site = "prometheus_site.progress.admin_site.BoardAdminSite"


class BoardAdminSite(AdminSite):
    """The stock admin with the board on its index. Login, logout and passwords are allauth's alone."""

    site_header = "Prometheus"
    site_title = "Prometheus"
    index_title = "Board"
    index_template = "progress/board.html"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send everybody to the one login path; a signed-in person without the right stays outside."""
        if request.user.is_authenticated:
            from django.http import Http404

            raise Http404
        query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
        return redirect(f"{reverse('account_login')}?{query}")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from prometheus_site.progress.panels import panels_for

        context = {"panels": panels_for(request.user), **(extra_context or {})}
        return super().index(request, context)
