"""Pages of seniors: settle the calibration samples, and review a person's answers against them."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import permissions
from annotation.labelling.selectors import turns_of
from annotation.labelling.services import RestFirstError
from annotation.models import CalibrationGold, Campaign, Sample
from annotation.qualification import calibration
from annotation.qualification.forms import LEFT_OUT, SettleForm, ThresholdForm
from annotation.qualification.settling import SettlingRefusedError, settle
from annotation.qualification.views import gated, member_of, opened
from annotation.wellbeing import reviewing
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

SENIORS = (Role.ADJUDICATOR, Role.LEAD)


@require_safe
def samples(request: HttpRequest, slug: str) -> HttpResponse:
    """List the calibration samples: how many seniors labelled each, what is settled, and no answer."""
    reader = permissions.person(request, *SENIORS)
    campaign = gated(permissions.campaign_for(reader, slug))
    found = calibration.standings_of_samples(campaign)
    context = {
        "campaign": campaign,
        "standings": found,
        "settled": sum(one.is_settled for one in found),
        "is_senior": reader.has_role(Role.ADJUDICATOR),
        "is_lead": reader.has_role(Role.LEAD),
        "is_blind": calibration.still_calibrates(campaign, reader),
        "threshold_form": ThresholdForm(initial={"threshold": campaign.calibration_threshold}),
        "seniors_needed": calibration.SENIORS_NEEDED,
        "read_by": calibration.people_who_calibrated(campaign),
    }
    return render(request, "annotation/qualification/calibration.html", context)


@require_POST
def set_threshold(request: HttpRequest, slug: str) -> HttpResponse:
    """Set the agreement from which a calibration counts as passed."""
    lead = permissions.person(request, Role.LEAD)
    campaign = gated(permissions.campaign_for(lead, slug))
    form = ThresholdForm(request.POST)
    if form.is_valid():
        Campaign.objects.filter(pk=campaign.pk).update(calibration_threshold=form.cleaned_data["threshold"])
        record_access(actor=lead, action=Action.CHANGED, obj_type="campaign", obj_id=str(campaign.pk))
        messages.success(request, "The threshold is saved.")
    else:
        messages.error(request, "The threshold is a number from 0.3 to 0.95. Nothing was saved.")
    return redirect("annotation:calibration", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def sample(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show a calibration sample with what the seniors answered; a POST settles it."""
    senior = permissions.person(request, Role.ADJUDICATOR)
    campaign = gated(permissions.campaign_for(senior, slug))
    shown = get_object_or_404(_with_text(campaign), number=number)
    labels = list(calibration.senior_labels(campaign).filter(sample=shown))
    has_labelled = any(label.annotator_id == senior.pk for label in labels)
    if calibration.still_calibrates(campaign, senior) or not has_labelled:
        raise Http404  # what others answered stays closed to who has not answered
    asked, gold = calibration.headlines_of(campaign, shown), calibration.gold_of(campaign)
    settled = {one.key: gold.get((shown.pk, one.key)) for one in asked}
    form = SettleForm(asked, request.POST or None, initial=_initial(settled))
    if request.method == "POST" and form.is_valid():
        try:
            settle(sample=shown, answers=form.settled(), settled_by=senior)
        except SettlingRefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Sample {number} is settled.")
            return redirect("annotation:calibration", slug=slug)
    record_access(actor=senior, action=Action.VIEWED, obj_type="calibration_labels", obj_id=str(shown.pk))
    is_opened = not shown.is_estimated_severe or reviewing.is_open_to(senior, shown)
    context = {
        "campaign": campaign,
        "sample": shown,
        "is_opened": is_opened,
        "turns": turns_of(shown) if is_opened else [],
        "columns": [(label.annotator.code, label.note and opened(label.note)) for label in labels],
        "rows": [
            (one.title, [calibration.in_words(campaign, one, label.answers.get(one.key)) for label in labels])
            for one in asked
        ],
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "annotation/qualification/settle.html", context, status=status)


@require_POST
def open_text(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Open a calibration sample's severe text, within the limits of care that bind seniors too."""
    senior = permissions.person(request, Role.ADJUDICATOR)
    campaign = gated(permissions.campaign_for(senior, slug))
    shown = get_object_or_404(calibration.calibration_samples(campaign), number=number)
    if not calibration.senior_labels(campaign).filter(sample=shown, annotator=senior).exists():
        raise Http404  # the text comes to who has labelled it, or in the own queue
    try:
        reviewing.open_for_review(reader=senior, sample=shown)
    except RestFirstError as rest:
        messages.warning(request, str(rest))
    return redirect("annotation:settle_sample", slug=slug, number=number)


@require_safe
def review(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Show a person's agreement with the settled answers, and each difference with both reasons."""
    senior = permissions.person(request, Role.ADJUDICATOR)
    campaign = gated(permissions.campaign_for(senior, slug))
    member = member_of(campaign, code)
    if calibration.still_calibrates(campaign, senior):
        raise Http404
    record_access(
        actor=senior, action=Action.VIEWED, obj_type="calibration_review", obj_id=str(member.user.pk)
    )
    context = {
        "campaign": campaign,
        "member": member,
        "scores": calibration.scores_of(campaign, member.user),
        "differences": [
            (one, one.label.note and opened(one.label.note), opened(one.settled.because))
            for one in calibration.differences_of(campaign, member.user)
        ],
    }
    return render(request, "annotation/qualification/review.html", context)


def _with_text(campaign: Campaign) -> QuerySet[Sample]:
    found = calibration.calibration_samples(campaign)
    return found.select_related("conversation__text__data_key", "conversation__source")


def _initial(settled: dict[str, CalibrationGold | None]) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    for key, one in settled.items():
        if one is not None:
            initial[f"answer-{key}"] = one.answer or LEFT_OUT
            initial[f"because-{key}"] = opened(one.because)
    return initial
