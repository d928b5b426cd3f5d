"""The plan page: what the design asks of everybody before it is accepted, and what it became."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation import permissions
from annotation.campaigns import plan_selectors, services
from annotation.campaigns.design import declared_of, with_design
from annotation.campaigns.plan_forms import AcceptForm, DesignForm, HoursForm, MemberForm
from annotation.models import Campaign, CampaignState
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

LEGEND = (
    ("training", "training"),
    ("calibration", "calibration"),
    ("anchor", "anchors"),
    ("overlap", "overlap"),
    ("repeat", "repeats"),
    ("severe", "share estimated severe"),
)


@require_safe
def plan(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the plan, or what another design would ask: the address carries a design that is only tried."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    form = DesignForm(request.GET or None, initial=vars(declared_of(campaign)))
    return _page(request, lead, campaign, form)


@require_POST
def accept_plan(request: HttpRequest, slug: str) -> HttpResponse:
    """Accept the design as it was shown; that opens a draft, unless it is only to be kept."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    form = AcceptForm(request.POST)
    if form.is_valid():
        try:
            if campaign.state == CampaignState.DRAFT and "keep" in request.POST:
                services.declare_design(campaign=campaign, design=form.design(), declared_by=lead)
            else:
                services.accept_plan(
                    campaign=campaign,
                    design=form.design(),
                    accepted_by=lead,
                    accepts_misfit=form.cleaned_data["accepts_misfit"],
                )
        except services.CampaignRefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The design is saved.")
            return redirect("annotation:plan", slug=slug)
    return _page(request, lead, campaign, form)


@require_POST
def set_hours(request: HttpRequest, slug: str) -> HttpResponse:
    """Declare everybody's hours a week."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    form = HoursForm(request.POST, members=plan_selectors.labelling_members(campaign))
    if form.is_valid():
        services.set_hours(campaign=campaign, hours=form.hours(), changed_by=lead)
        messages.success(request, "The hours are saved, and the plan follows them.")
    else:
        messages.error(request, "Hours a week are numbers from 0.25 to 60. Nothing was saved.")
    return redirect("annotation:plan", slug=slug)


@require_POST
def pause_member(request: HttpRequest, slug: str) -> HttpResponse:
    """Let a person rest."""
    return _change_member(request, slug, services.pause_member, "{} rests: what waited goes to the others.")


@require_POST
def resume_member(request: HttpRequest, slug: str) -> HttpResponse:
    """Let a person who rested take part again."""
    return _change_member(request, slug, services.resume_member, "{} takes part again.")


def _change_member(request: HttpRequest, slug: str, change: Callable[..., None], done: str) -> HttpResponse:
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    form = MemberForm(request.POST, campaign=campaign)
    if form.is_valid():
        member = form.cleaned_data["member"]
        change(campaign=campaign, member=member, changed_by=lead)
        messages.success(request, done.format(member.user.code))
    else:
        messages.error(request, "This person is not in the campaign. Reload the page.")
    return redirect("annotation:plan", slug=slug)


def _page(request: HttpRequest, lead: User, campaign: Campaign, form: DesignForm) -> HttpResponse:
    # The hours of a week stand beside codes and names.
    record_access(actor=lead, action=Action.REVEALED, obj_type="campaign_names", obj_id=str(campaign.pk))
    is_tried = form.is_bound and not any(name in form.errors for name in form.fields)
    shown = with_design(campaign, form.design()) if is_tried else campaign
    verdict = plan_selectors.verdict_of(shown)
    sample_count = campaign.samples.count()
    is_other = is_tried and declared_of(shown) != declared_of(campaign)
    is_planned = plan_selectors.is_untouched_plan(campaign) and not is_other
    outlook = plan_selectors.planned_outlook if is_planned else plan_selectors.expected_outlook
    context = {
        "campaign": campaign,
        "shown": shown,
        "form": form,
        "is_other": is_other,
        "can_accept": sample_count > 0 if campaign.state == CampaignState.DRAFT else is_other,
        "verdict": verdict,
        "planned": {member.user_id for member in verdict.members},
        "legend": LEGEND,
        "outlook": outlook(shown, verdict),
        "accept_form": AcceptForm(initial=vars(declared_of(shown)), auto_id=False),
        "hours_form": HoursForm(members=plan_selectors.labelling_members(campaign)),
        "revisions": plan_selectors.revisions_of(campaign),
        "sample_count": sample_count,
        "is_simulated": campaign.is_simulated,
    }
    status = 422 if form.errors else 200
    return render(request, "annotation/campaigns/plan.html", context, status=status)
