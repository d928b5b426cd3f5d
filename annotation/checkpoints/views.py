"""Pages of the checkpoints: the declared looks with their verdicts, and each report as a page and a file."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation import blindness, permissions
from annotation.checkpoints import selectors, services
from annotation.checkpoints.report_file import file_of
from annotation.models import Campaign
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.ed25519 import fingerprint_of
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access


@require_safe
def checkpoints(request: HttpRequest, slug: str) -> HttpResponse:
    """List the declared looks: which are reached, what they said, and which comes next."""
    lead = permissions.person(request, Role.LEAD)
    return _page(request, lead, permissions.campaign_for(lead, slug))


@require_POST
def declare(request: HttpRequest, slug: str) -> HttpResponse:
    """Declare the looks to come from the plan as it is now; the end that was shown comes with it."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    if blindness.is_blind_in(lead, campaign):
        return _closed(request, campaign)
    try:
        n_planned = int(request.POST.get("n_planned", ""))
        services.declare_looks_anew(campaign=campaign, n_planned=n_planned, declared_by=lead)
    except ValueError:
        return _page(request, lead, campaign, "Nothing was declared: say at how many overlap items it ends.")
    except services.CheckpointRefusedError as refused:
        return _page(request, lead, campaign, str(refused))
    messages.success(request, "The looks to come are declared.")
    return redirect("annotation:checkpoints", slug=slug)


@require_POST
def ask_for_end(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the look at the end of a campaign that ended short."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    if blindness.is_blind_in(lead, campaign):
        return _closed(request, campaign)
    try:
        services.ask_for_end(campaign=campaign, requested_by=lead)
    except services.CheckpointRefusedError as refused:
        return _page(request, lead, campaign, str(refused))
    messages.success(request, "The report of the end is being made. It is here within a minute.")
    return redirect("annotation:checkpoints", slug=slug)


@require_safe
def report(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show a report as it was frozen."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    found = permissions.checkpoint_report_for(lead, campaign, number)
    if blindness.is_blind_in(lead, campaign):
        return _closed(request, campaign)
    record_access(actor=lead, action=Action.VIEWED, obj_type="checkpoint_report", obj_id=str(found.pk))
    blindness.record_campaign_labels_read(reader=lead, campaign=campaign)
    signed = selectors.signature_of(found)
    context = {
        "campaign": campaign,
        "report": found,
        "content": selectors.content_of(found),
        "signed": signed,
        "key": fingerprint_of(signed.public_key) if signed else "",
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/checkpoints/report.html", context)


@require_safe
def download_report(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Hand out a report with its signature, to be verified offline; nothing before it is signed."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    found = permissions.checkpoint_report_for(lead, campaign, number)
    if blindness.is_blind_in(lead, campaign):
        return _closed(request, campaign)
    signed = selectors.signature_of(found)
    if signed is None:
        raise Http404
    record_access(actor=lead, action=Action.EXPORTED, obj_type="checkpoint_report", obj_id=str(found.pk))
    blindness.record_campaign_labels_read(reader=lead, campaign=campaign)
    kind = "rehearsal-checkpoint" if campaign.is_simulated else "checkpoint"
    headers = {"Content-Disposition": f'attachment; filename="{slug}-{kind}-{number}.json"'}
    key = fingerprint_of(signed.public_key)
    content = file_of(found.document, digest=found.digest, signature=signed.signature, key=key)
    return HttpResponse(content, content_type="application/json", headers=headers)


def _page(request: HttpRequest, lead: User, campaign: Campaign, refusal: str = "") -> HttpResponse:
    if blindness.is_blind_in(lead, campaign):
        return _closed(request, campaign)
    record_access(actor=lead, action=Action.LISTED, obj_type="checkpoints", obj_id=str(campaign.pk))
    blindness.record_campaign_labels_read(reader=lead, campaign=campaign)
    context = {
        "campaign": campaign,
        "overview": selectors.overview_of(campaign),
        "refusal": refusal,
        "is_simulated": campaign.is_simulated,
    }
    status = 422 if refusal else 200
    return render(request, "annotation/checkpoints/checkpoints.html", context, status=status)


def _closed(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Say that verdicts stay closed to a lead who still labels here: only blind labels count."""
    context = {"campaign": campaign, "is_simulated": campaign.is_simulated}
    return render(request, "annotation/dashboard/closed.html", context, status=403)
