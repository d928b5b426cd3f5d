"""The base of every page of the admin: rows to read, limited to the person, and nothing to change."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User
    from prometheus_site.accounts.roles import Role

    _Base = admin.ModelAdmin[Any]
else:
    _Base = admin.ModelAdmin


class ReadOnlyAdmin(_Base):
    """A list, and a page per row, of what ``visible_to`` returns, for the roles in ``readers``.

    Everybody else, and a row outside, gets 404. A list with ``actions`` takes a POST for these alone.
    """

    readers: ClassVar[tuple["Role", ...]] = ()
    change_form_template = "progress/read_only.html"
    actions: Sequence[str] | None = None
    list_per_page = 50
    show_full_result_count = False

    def visible_to(self, user: "User", rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows this person may see."""
        return rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.visible_to(_person(request), super().get_queryset(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model:
        found: Model | None = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _person(request).has_role(*self.readers)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the list and of a row; adding, deleting and history have none."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        in_list = require_http_methods(["GET", "HEAD", "POST"]) if self.actions else require_safe
        return [
            path("", self._guarded(self.changelist_view, in_list), name=f"{name}_changelist"),
            path("<path:object_id>/change/", self._guarded(self.change_view), name=f"{name}_change"),
        ]

    def _guarded(
        self, view: Callable[..., HttpResponse], methods: Callable[..., Any] = require_safe
    ) -> Callable[..., HttpResponse]:
        limited = methods(view)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_view_permission(request):
                raise Http404
            answer: HttpResponse = limited(request, *args, **kwargs)
            return answer

        opened: Callable[..., HttpResponse] = self.admin_site.admin_view(guarded)
        return opened


def _person(request: HttpRequest) -> "User":
    return request.user  # type: ignore[return-value]  # the admin site lets nobody in who is not signed in
