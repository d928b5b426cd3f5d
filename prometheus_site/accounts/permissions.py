"""Who may open a page: a person without the role is told that the page does not exist."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponseBase

from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

P = ParamSpec("P")


class SignedInRequest(HttpRequest):
    """A request of a signed-in person, which is what every page gets unless it says otherwise."""

    user: User


View = Callable[Concatenate[SignedInRequest, P], HttpResponseBase]
AnyView = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def require_role(*roles: Role) -> Callable[[View[P]], AnyView[P]]:
    """Open the view to holders of any of these roles; everybody else gets 404.

    Signing in is asked for by LoginRequiredMiddleware, before the view.
    """

    def decorate(view: View[P]) -> AnyView[P]:
        @wraps(view)
        def guarded(request: SignedInRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated or not request.user.has_role(*roles):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate
