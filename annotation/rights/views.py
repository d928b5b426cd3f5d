"""The page of a person's own data: what is kept, a file of it, and what can be asked for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.models import CheckIn, Label, Pass, Signature
from annotation.rights.own_data import own_data_of
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access


@require_safe
def own_data(request: HttpRequest) -> HttpResponse:
    """Show what is kept about the person, and what the person may ask for."""
    asking = _signed_in(request)
    kept = {
        "Labels, undone and corrected ones too": Label.objects.filter(annotator=asking).count(),
        "Passes": Pass.objects.filter(assignment__annotator=asking).count(),
        "Check-ins": CheckIn.objects.filter(user=asking).count(),
        "Signed documents": Signature.objects.filter(signer=asking).count(),
    }
    return render(request, "annotation/rights/own_data.html", {"kept": kept})


@require_safe
def download_own_data(request: HttpRequest) -> HttpResponse:
    """Hand the person a file of all of it; that it was taken is recorded."""
    asking = _signed_in(request)
    content = own_data_of(asking)
    record_access(actor=asking, action=Action.EXPORTED, obj_type="own_data", obj_id=str(asking.pk))
    headers = {
        "Content-Disposition": f'attachment; filename="{asking.code}-own-data.json"',
        "Cache-Control": "no-store",
    }
    return HttpResponse(content, content_type="application/json", headers=headers)


def _signed_in(request: HttpRequest) -> User:
    """Return whoever asks: everybody has a right to the own data, with or without a role."""
    assert isinstance(request.user, User), "the middleware lets nobody else come so far"  # noqa: S101
    return request.user
