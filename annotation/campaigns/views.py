"""Pages on which a lead sets up a campaign, and everybody finds theirs."""

from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import permissions
from annotation.campaigns import selectors, services
from annotation.campaigns.forms import CampaignForm, MembersForm, StateForm
from annotation.campaigns.in_words import sections_in_words
from annotation.guidelines.rendering import rendered
from annotation.guidelines.services import GuidelineRefusedError
from annotation.models import CampaignState, SampleSelection
from prometheus_site.accounts.roles import Role


@require_safe
def campaign_list(request: HttpRequest) -> HttpResponse:
    """List the person's campaigns."""
    user = permissions.person(request, *selectors.CAMPAIGN_ROLES)
    context = {
        "campaigns": selectors.campaigns_of(user),
        "is_lead": user.has_role(Role.LEAD),
        "is_annotator": user.has_role(Role.ANNOTATOR),
        "is_adjudicator": user.has_role(Role.ADJUDICATOR),
        "is_paid": user.has_role(Role.ANNOTATOR, Role.ADJUDICATOR),
    }
    return render(request, "annotation/campaigns/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Fill in a campaign, look at what it will ask, and make it; nothing is stored before that."""
    lead = permissions.person(request, Role.LEAD)
    form = CampaignForm(request.POST or None, request.FILES or None)
    action = request.POST.get("action")
    if request.method == "POST" and form.is_valid() and action != "change":
        try:
            if action == "make":
                campaign = services.create_campaign(created_by=lead, **form.wanted())
                messages.success(
                    request,
                    "The campaign stands. Next: import conversations or select samples; people; open it.",
                )
                return redirect("annotation:campaign", slug=campaign.slug)
            services.try_campaign(created_by=lead, **form.wanted())
        except (services.CampaignRefusedError, GuidelineRefusedError) as refused:
            form.add_error(None, str(refused))
        else:
            return _preview(request, form)
    status = 422 if form.errors else 200
    return render(request, "annotation/campaigns/create.html", {"form": form}, status=status)


def _preview(request: HttpRequest, form: CampaignForm) -> HttpResponse:
    asked = form.asked
    context = {
        "form": form,
        "asked": asked,
        "sections": sections_in_words(asked.scheme),
        "guideline": rendered(asked.guideline),
    }
    return render(request, "annotation/campaigns/preview.html", context)


@require_safe
def example(request: HttpRequest, file_name: str) -> HttpResponse:
    """Hand out a small scheme, or its guideline, to start from."""
    permissions.person(request, Role.LEAD)
    text = (Path(__file__).parent / "example" / file_name).read_text(encoding="utf-8")
    disposition = f'attachment; filename="{file_name}"'
    return HttpResponse(
        text, content_type="text/plain; charset=utf-8", headers={"Content-Disposition": disposition}
    )


@require_safe
def manage(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a campaign's set-up: people, samples, state."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    present = campaign.members.filter(left_at__isnull=True).values_list("user_id", flat=True)
    context = {
        "campaign": campaign,
        "sample_count": campaign.samples.count(),
        "takes_imports": not SampleSelection.objects.filter(campaign=campaign).exists(),
        "members_form": MembersForm(initial={"members": list(present)}),
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/campaigns/manage.html", context)


@require_POST
def change_state(request: HttpRequest, slug: str) -> HttpResponse:
    """Open or close the campaign."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    form = StateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "That is not a state of a campaign. Use the buttons on the page.")
        return redirect("annotation:campaign", slug=slug)
    try:
        services.change_state(
            campaign=campaign, state=CampaignState(form.cleaned_data["state"]), changed_by=lead
        )
    except services.PlanDoesNotFitError as refused:
        messages.error(request, str(refused))
        return redirect("annotation:plan", slug=slug)
    except services.CampaignRefusedError as refused:
        messages.error(request, str(refused))
    return redirect("annotation:campaign", slug=slug)


@require_POST
def change_members(request: HttpRequest, slug: str) -> HttpResponse:
    """Change who takes part."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    form = MembersForm(request.POST)
    if form.is_valid():
        chosen = [user.pk for user in form.cleaned_data["members"]]
        services.set_members(campaign=campaign, user_ids=chosen, changed_by=lead)
        messages.success(request, "The people of this campaign are saved, and the plan follows them.")
    else:
        messages.error(
            request, "One of the people chosen cannot take part. Reload the page and choose again."
        )
    return redirect("annotation:campaign", slug=slug)
