"""What every page knows: the person's links, and whether this is a demonstration."""

from typing import Any

from django.http import HttpRequest

from prometheus_site.core.installation import is_demo, sends_mail
from prometheus_site.core.navigation import nav_items
from prometheus_site.observability.logs import request_id


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the facts that base.html shows."""
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    return {
        "is_demo_site": is_demo(),
        "sends_mail": sends_mail(),
        "nav_items": nav_items(user, request.path) if signed_in else [],  # type: ignore[arg-type]
        "request_id": request_id.get(),
    }
