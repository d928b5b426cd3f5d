"""Pages of the labelling loop; each is guard, form, service, render."""

import uuid
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import permissions
from annotation.assignment.services import CampaignNotOpenError, assign_next
from annotation.labelling import presenter, selectors, services
from annotation.labelling.forms import SubmissionForm, posted_answers
from annotation.models import Assignment, Campaign, Label, Sample
from annotation.schemes.answers import AnswerErrors
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.sealing import TextErasedError, open_text

LABELS_PER_PAGE = 50


@require_safe
def workbench(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the sample on screen, or where the person stands and the button that fetches the next one."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    return _workbench(request, annotator, campaign, selectors.on_screen(annotator, campaign))


@require_POST
def fetch_next(request: HttpRequest, slug: str) -> HttpResponse:
    """Lease the next sample and show it."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    _lease_next(request, annotator, campaign)
    return redirect("annotation:workbench", slug=slug)


@require_POST
def save(request: HttpRequest, slug: str, assignment_id: uuid.UUID) -> HttpResponse:
    """Store the label and go on to the next sample."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    assignment = permissions.assignment_for(annotator, campaign, assignment_id)
    attempt = _Attempt(campaign, request.POST)
    receipt = attempt.store(
        lambda submission: services.record_label(
            annotator=annotator, assignment=assignment, submission=submission
        )
    )
    if receipt is None:
        return _workbench(request, annotator, campaign, assignment, attempt)
    following = _lease_next(request, annotator, campaign)
    if request.headers.get("HX-Request"):
        return _workbench(request, annotator, campaign, following, receipt=receipt)
    messages.success(request, _saved(receipt))
    return redirect("annotation:workbench", slug=slug)


@require_safe
def own_labels(request: HttpRequest, slug: str) -> HttpResponse:
    """List the person's own labels, newest first."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    page = Paginator(selectors.own_labels(annotator, campaign), LABELS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    rows = [
        (label, presenter.answers_in_words(selectors.scheme_version(label.scheme_id), label.answers))
        for label in page.object_list
    ]
    context = {"campaign": campaign, "page": page, "rows": rows, "is_simulated": campaign.is_simulated}
    return render(request, "annotation/labelling/own_labels.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, slug: str, label_id: uuid.UUID) -> HttpResponse:
    """Show one of the person's own labels with its sample; a POST stores a correction with a reason."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    label = permissions.own_label_for(annotator, campaign, label_id)
    attempt = _Attempt(campaign, request.POST)
    if request.method == "POST":
        receipt = attempt.store(
            lambda submission: services.correct_label(annotator=annotator, label=label, submission=submission)
        )
        if receipt is not None:
            messages.success(request, f"Correction saved. {_saved(receipt)}")
            return redirect("annotation:own_labels", slug=slug)
    context = _correction(annotator, campaign, label, attempt)
    return render(request, "annotation/labelling/correct.html", context, status=attempt.status)


class _Attempt:
    """A form on its way to a label: what was sent, if anything, and why it was refused when it was."""

    def __init__(self, campaign: Campaign, data: QueryDict | None = None) -> None:
        self.scheme = selectors.scheme_of(campaign)
        self.data = data if data is not None else QueryDict()
        self.answers: dict[str, object] = {}
        self.errors: dict[str, str] = {}
        self.problem = ""
        self.status = 200

    def store(self, write: Any) -> services.Receipt | None:
        """Give the submission to the service; keep its refusal in the person's words."""
        form = SubmissionForm(self.data)
        self.answers = posted_answers(self.scheme, self.data)
        if not form.is_valid():
            self.problem, self.status = "The form arrived incomplete. Check it and save again.", 422
            return None
        try:
            receipt: services.Receipt = write(form.submission(self.answers))
        except AnswerErrors as wrong:
            self.errors, self.status = wrong.errors, 422
            self.problem = "Not saved yet: some answers are missing or do not fit together."
        except (services.KeyReusedError, services.AlreadyLabelledError) as conflict:
            self.problem, self.status = str(conflict), 409
        except services.LabelNotRecordedError as refused:
            self.problem, self.status = str(refused), 422
        else:
            return receipt
        return None


def _lease_next(request: HttpRequest, annotator: User, campaign: Campaign) -> Assignment | None:
    try:
        return assign_next(campaign=campaign, annotator=annotator)
    except CampaignNotOpenError as closed:
        messages.warning(request, str(closed))
        return None


def _saved(receipt: services.Receipt) -> str:
    at = timezone.localtime(receipt.label.created_at).strftime("%H:%M:%S %Z")
    return f"Saved {at}, receipt {str(receipt.label.pk)[:8]}."


def _workbench(
    request: HttpRequest,
    annotator: User,
    campaign: Campaign,
    assignment: Assignment | None,
    attempt: _Attempt | None = None,
    receipt: services.Receipt | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "campaign": campaign,
        "assignment": assignment,
        "standing": selectors.standing_of(annotator, campaign),
        "is_simulated": campaign.is_simulated,
        "saved": _saved(receipt) if receipt else "",
    }
    if assignment is not None:
        context |= _reading(annotator, assignment.sample, attempt or _Attempt(campaign))
    whole = "annotation/labelling/workbench.html"
    part = "annotation/labelling/_workbench.html"
    template = part if request.headers.get("HX-Request") else whole
    return render(request, template, context, status=attempt.status if attempt else 200)


def _reading(
    annotator: User, sample: Sample, attempt: _Attempt, answers: dict[str, object] | None = None
) -> dict[str, Any]:
    """Return the sample's text and its questions; that the person read it is written down."""
    record_access(actor=annotator, action=Action.VIEWED, obj_type="sample", obj_id=str(sample.pk))
    given = answers if answers is not None else attempt.answers
    present = services.turns_present(sample)
    return {
        "sample": sample,
        "turns": selectors.turns_of(sample),
        "sections": presenter.sections(attempt.scheme, present, given, attempt.errors),
        "problem": attempt.problem,
        "note": attempt.data.get("note", ""),
        "reason": attempt.data.get("reason", ""),
        # A refused form keeps its key, so that pressing Save again cannot store it twice.
        "key": attempt.data.get("key") or uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
    }


def _correction(annotator: User, campaign: Campaign, label: Label, attempt: _Attempt) -> dict[str, Any]:
    given = attempt.answers or dict(label.answers)
    context = _reading(annotator, label.sample, attempt, given)
    if not attempt.data and label.note:
        with suppress(TextErasedError):  # the clinician's key was destroyed; the answers stand
            context["note"] = open_text(label.note)
    is_latest = not Label.objects.filter(supersedes=label).exists()
    return context | {
        "campaign": campaign,
        "label": label,
        "is_latest": is_latest,
        "is_simulated": campaign.is_simulated,
    }
