"""The admin site, whose index is the lead's board and whose only door is the site's own login."""

from __future__ import annotations

from collections.abc import Iterable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.decorators import login_not_required
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode

from prometheus_site.core.admin import ReadOnlyAdmin

NOT_SERVED = frozenset({"password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site"})


class BoardAdminConfig(AdminConfig):
    """django.contrib.admin with our site as the default one."""

    default_site = "prometheus_site.progress.admin_site.BoardAdminSite"


class BoardAdminSite(AdminSite):
    """The stock admin with the board on its index. Login, logout and passwords are allauth's alone."""

    site_header = "Prometheus"
    site_title = "Prometheus"
    index_title = "Board"
    index_template = "progress/board.html"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """Take our read-only pages only: others register theirs, which could remove a second factor."""
        if admin_class is not None and issubclass(admin_class, ReadOnlyAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) not in NOT_SERVED]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Tell a signed-in person without the right that there is no such page."""
        opened = super().admin_view(view, cacheable)

        @wraps(opened)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404
            return opened(request, *args, **kwargs)

        return guarded

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send everybody to the one login path."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise Http404
        query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
        return redirect(f"{reverse('account_login')}?{query}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Send the person to the one way out."""
        return redirect("account_logout")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from prometheus_site.progress.panels import board_for

        user: Any = request.user  # admin_view lets in nobody else than a person with the right
        return super().index(request, {"board": board_for(user), **(extra_context or {})})
