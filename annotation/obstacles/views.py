"""What stands between a dimension and its target, and the samples behind each answer to that."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation import blindness, permissions
from annotation.agreement.estimates import MIN_OVERLAP_ITEMS
from annotation.agreement_page import names
from annotation.agreement_page.page import dimension_named
from annotation.dashboard.listing import page_of_samples
from annotation.dashboard.views import closed
from annotation.models import Campaign
from annotation.obstacles import presenter, selectors
from annotation.obstacles.addresses import UnknownSamplesError
from annotation.obstacles.latest import latest
from annotation.obstacles.listing import samples_behind
from annotation.schemes.definition import Dimension
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access


@require_safe
def obstacles(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a dimension's agreement lacks, why, and what to do first."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    dimension = _chosen(request, campaign)
    if blindness.is_blind_in(lead, campaign):
        return closed(request, campaign)
    kept, reader = latest(campaign, dimension), _reader(request, campaign, dimension)
    record_access(actor=lead, action=Action.LISTED, obj_type="obstacles", obj_id=str(campaign.pk))
    blindness.record_campaign_labels_read(reader=lead, campaign=campaign)
    target, next_look = float(campaign.agreement_target), selectors.next_look_of(campaign)
    context = {
        "campaign": campaign,
        "dimension": dimension,
        "dimensions": selectors.headlines_of(campaign),
        "kept": kept,
        "has_names": names.are_revealed(request.session, campaign),
        "items_wanted": MIN_OVERLAP_ITEMS,
        "page": presenter.present(kept.findings, reader, target, next_look=next_look) if kept else None,
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/obstacles/obstacles.html", context)


@require_safe
def samples(request: HttpRequest, slug: str) -> HttpResponse:
    """List the samples behind a cause, a part of the shortfall, a supposition or an alert."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    dimension = _chosen(request, campaign)
    if blindness.is_blind_in(lead, campaign):
        return closed(request, campaign)
    reader = _reader(request, campaign, dimension)
    try:
        behind = samples_behind(campaign, dimension, dict(request.GET.lists()), reader)
    except UnknownSamplesError as unknown:
        raise Http404 from unknown
    record_access(actor=lead, action=Action.LISTED, obj_type="obstacle_samples", obj_id=str(campaign.pk))
    blindness.record_campaign_labels_read(reader=lead, campaign=campaign)
    context = {
        "campaign": campaign,
        "dimension": dimension,
        "behind": behind,
        "page": page_of_samples(campaign, dimension, behind.numbers, request.GET.get("page")),
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/obstacles/samples.html", context)


def _chosen(request: HttpRequest, campaign: Campaign) -> Dimension:
    try:
        return dimension_named(campaign, request.GET.get("dimension", ""))
    except KeyError as unknown:
        raise Http404 from unknown


def _reader(request: HttpRequest, campaign: Campaign, dimension: Dimension) -> presenter.Reader:
    are_revealed = names.are_revealed(request.session, campaign)
    return selectors.reader_of(campaign, dimension, names.names_in(campaign) if are_revealed else {})
