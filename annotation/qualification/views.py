"""Pages about the gate: a clinician's own way to the samples, and the lead's decisions on everybody's."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import permissions
from annotation.models import Campaign, CampaignMember, Outcome
from annotation.qualification import selectors, services
from annotation.qualification.calibration import scores_of, still_calibrates
from annotation.qualification.forms import DecisionForm, LicenceForm
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.models import SealedText
from prometheus_site.core.sealing import TextErasedError, open_text


@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the clinician's own way to the samples; a POST tells of a renewed licence."""
    clinician = permissions.person(request, Role.ANNOTATOR)
    campaign = gated(permissions.campaign_for(clinician, slug))
    form = LicenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.record_licence(
                clinician=clinician, recorded_by=clinician, is_checked=False, **form.cleaned_data
            )
        except services.LicenceRefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Thank you. Somebody of the team checks it; you go on after that.")
            return redirect("annotation:own_qualification", slug=slug)
    member = campaign.members.select_related("user").get(user=clinician, left_at__isnull=True)
    context = {
        "campaign": campaign,
        "standing": selectors.standing_of(campaign, member, is_own=True),
        "warning": selectors.licence_warning(clinician),
        "form": form,
    }
    return render(request, "annotation/qualification/own.html", context, status=422 if form.errors else 200)


@require_safe
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Show where every annotator of the campaign stands."""
    lead = permissions.person(request, Role.LEAD)
    campaign = gated(permissions.campaign_for(lead, slug))
    _record_names_shown(lead, campaign)
    context = {"campaign": campaign, "standings": selectors.standings(campaign)}
    return render(request, "annotation/qualification/people.html", context)


@require_safe
def person(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Show one annotator's way, every decision so far, and the forms for a licence and a decision."""
    return _person(request, slug, code, LicenceForm(), DecisionForm())


@require_POST
def check_licence(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Record a licence as it stands in the register."""
    lead = permissions.person(request, Role.LEAD)
    member = member_of(permissions.campaign_for(lead, slug), code)
    form = LicenceForm(request.POST)
    if form.is_valid():
        try:
            services.record_licence(
                clinician=member.user, recorded_by=lead, is_checked=True, **form.cleaned_data
            )
        except services.LicenceRefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The licence is recorded as checked.")
            return redirect("annotation:qualification", slug=slug, code=code)
    return _person(request, slug, code, form, DecisionForm(), status=422)


@require_POST
def decide(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Decide on a person's part in the campaign."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    member = member_of(campaign, code)
    form = DecisionForm(request.POST)
    if form.is_valid():
        outcome = Outcome(form.cleaned_data["outcome"])
        try:
            services.decide(
                campaign=campaign,
                clinician=member.user,
                outcome=outcome,
                because=form.cleaned_data["because"],
                decided_by=lead,
            )
        except services.DecisionRefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Decided: {member.user}, {outcome.label.lower()}.")
            return redirect("annotation:qualification", slug=slug, code=code)
    return _person(request, slug, code, LicenceForm(), form, status=422)


def _person(
    request: HttpRequest,
    slug: str,
    code: str,
    licence_form: LicenceForm,
    decision_form: DecisionForm,
    status: int = 200,
) -> HttpResponse:
    lead = permissions.person(request, Role.LEAD)
    campaign = gated(permissions.campaign_for(lead, slug))
    member = member_of(campaign, code)
    _record_names_shown(lead, campaign)
    standing = selectors.standing_of(campaign, member)
    told = standing.reported
    if told is not None and not licence_form.is_bound:
        licence_form = LicenceForm(told=told)
    shown = told or standing.licence
    if shown is not None:
        record_access(actor=lead, action=Action.VIEWED, obj_type="licence", obj_id=str(shown.pk))
    context = {
        "campaign": campaign,
        "standing": standing,
        "licence_number": shown and opened(shown.number),
        "licence_form": licence_form,
        "decision_form": decision_form,
        # Who still labels the same samples could try which answer makes a score rise.
        "scores": [] if still_calibrates(campaign, lead) else scores_of(campaign, member.user),
        "decisions": [(one, opened(one.because)) for one in selectors.decisions_on(campaign, member.user)],
    }
    return render(request, "annotation/qualification/person.html", context, status=status)


def _record_names_shown(lead: User, campaign: Campaign) -> None:
    record_access(actor=lead, action=Action.REVEALED, obj_type="campaign_names", obj_id=str(campaign.pk))


def opened(sealed: SealedText) -> str:
    """Return the words, or that they are erased."""
    try:
        return open_text(sealed)
    except TextErasedError:  # the clinician has left and the key is destroyed
        return "erased"


def gated(campaign: Campaign) -> Campaign:
    """Return the campaign if it has a gate; else there is nothing here."""
    if not campaign.requires_qualification:
        raise Http404
    return campaign


def member_of(campaign: Campaign, code: str) -> CampaignMember:
    """Return the annotator of the campaign who has this code."""
    for standing in (
        gated(campaign).members.select_related("user").filter(left_at__isnull=True, user__code=code)
    ):
        if standing.user.has_role(Role.ANNOTATOR):
            return standing
    raise Http404
