"""Pages of dangerous disagreement: the open cases, one of them, and what counts as dangerous."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import blindness, permissions
from annotation.dangerous import selectors, services
from annotation.dangerous.forms import AnswerForm, MatrixForm
from annotation.dashboard import listing
from annotation.labelling.selectors import scheme_version, turns_of
from annotation.labelling.services import RestFirstError
from annotation.models import Campaign, DangerCase
from annotation.schemes import severity
from annotation.wellbeing import reviewing
from annotation.wellbeing.policy import dose_of
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.core import sealing

SENIORS = (Role.ADJUDICATOR, Role.LEAD)


@require_safe
def cases(request: HttpRequest, slug: str) -> HttpResponse:
    """List the cases that wait for an answer, the most urgent first, and the latest answers."""
    senior, campaign = _senior(request, slug)
    if blindness.is_blind_in(senior, campaign):
        return _closed(request, campaign)
    blindness.record_campaign_labels_read(reader=senior, campaign=campaign)
    context = {
        "campaign": campaign,
        "clock": selectors.clock_of(campaign),
        "cases": selectors.open_cases(campaign)[: selectors.CASES_SHOWN],
        "answered": selectors.answered_cases(campaign)[: selectors.CASES_SHOWN],
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/dangerous/cases.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, slug: str, case_id: uuid.UUID) -> HttpResponse:
    """Show one case; a POST answers it. The text comes when it is asked for."""
    senior, campaign = _senior(request, slug)
    found = get_object_or_404(
        DangerCase.objects.select_related("sample__conversation__text__data_key"),
        campaign=campaign,
        pk=case_id,
    )
    if blindness.is_blind_in(senior, campaign):
        return _closed(request, campaign)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _answer(request, senior, found, form)
    return _page(request, senior, found, form)


@require_POST
def open_text(request: HttpRequest, slug: str, case_id: uuid.UUID) -> HttpResponse:
    """Open the case's text, within the limits of care that bind seniors too."""
    senior, campaign = _senior(request, slug)
    cases = DangerCase.objects.select_related("sample", "higher")
    found = get_object_or_404(cases, campaign=campaign, pk=case_id)
    if blindness.is_blind_in(senior, campaign):
        return _closed(request, campaign)
    level = severity.crisis_level(scheme_version(found.higher.scheme_id), found.higher.answers) or 0
    dose = dose_of(is_estimated_severe=True, is_act_now=level >= severity.ACT_NOW_FROM)
    try:
        reviewing.open_for_review(reader=senior, sample=found.sample, dose=dose)
    except RestFirstError as rest:
        messages.warning(request, str(rest))
    return redirect("annotation:danger_case", slug=slug, case_id=case_id)


@require_http_methods(["GET", "HEAD", "POST"])
def matrix(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what counts as dangerous; a POST stores another version."""
    senior, campaign = _senior(request, slug)
    latest = selectors.latest_matrix(campaign)
    form = MatrixForm(request.POST or None, hours=selectors.hours_of(latest))
    if request.method == "POST" and form.is_valid():
        services.change_matrix(
            campaign=campaign, hours=form.hours(), because=form.cleaned_data["because"], made_by=senior
        )
        messages.success(request, "Saved. It holds for the cases to come.")
        return redirect("annotation:danger_matrix", slug=slug)
    context = {
        "campaign": campaign,
        "form": form,
        "versions": campaign.cost_matrices.select_related("made_by").order_by("-number"),
        "is_simulated": campaign.is_simulated,
    }
    status = 422 if form.errors else 200
    return render(request, "annotation/dangerous/matrix.html", context, status=status)


def _senior(request: HttpRequest, slug: str) -> tuple[User, Campaign]:
    senior = permissions.person(request, *SENIORS)
    return senior, permissions.campaign_for(senior, slug)


def _answer(request: HttpRequest, senior: User, found: DangerCase, form: AnswerForm) -> HttpResponse:
    slug = found.campaign.slug
    try:
        services.answer_case(case=found, answered_by=senior, **form.cleaned_data)
    except services.DangerRefusedError as refused:
        messages.warning(request, str(refused))
        return redirect("annotation:danger_case", slug=slug, case_id=found.pk)
    messages.success(request, f"Sample {found.sample.number} is answered.")
    return redirect("annotation:danger_cases", slug=slug)


def _page(request: HttpRequest, senior: User, found: DangerCase, form: AnswerForm) -> HttpResponse:
    is_opened = reviewing.is_open_to(senior, found.sample)
    blindness.record_sample_labels_read(reader=senior, sample=found.sample)
    answer = getattr(found, "answer", None)
    context = {
        "campaign": found.campaign,
        "case": found,
        "sample": found.sample,
        "is_opened": is_opened,
        "turns": turns_of(found.sample) if is_opened else [],
        "side_by_side": listing.labels_side_by_side(found.sample, found.campaign),
        "answer": answer,
        "reason": _words_of(answer),
        "form": form,
        "is_simulated": found.campaign.is_simulated,
    }
    status = 422 if form.errors else 200
    return render(request, "annotation/dangerous/case.html", context, status=status)


def _words_of(answer: object) -> str:
    reason = getattr(answer, "reason", None)
    try:
        return sealing.open_text(reason) if reason else ""
    except sealing.TextErasedError:  # the senior's key was destroyed; the judgement stands
        return ""


def _closed(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    context = {"campaign": campaign, "is_simulated": campaign.is_simulated}
    return render(request, "annotation/dashboard/closed.html", context, status=403)
