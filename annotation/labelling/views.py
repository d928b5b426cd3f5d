"""Pages of the labelling loop; each is guard, form, service, render."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import permissions
from annotation.assignment import queue
from annotation.labelling import drafts, presenter, selectors, services, unlabelled
from annotation.labelling.ahead import ahead_of
from annotation.labelling.breaks import BETWEEN_SAMPLES, is_break_due
from annotation.labelling.cards import is_covered
from annotation.labelling.forms import FlagForm, SubmissionForm, posted_answers
from annotation.labelling.standing import standing_of
from annotation.models import Assignment, Campaign, FlagKind, Label, Sample
from annotation.qualification.selectors import missing_for
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
    """Store the label, keep a draft or pass, as the pressed button says, and go on."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    assignment = permissions.assignment_for(annotator, campaign, assignment_id)
    attempt = _Attempt(campaign, request.POST)
    done = attempt.carry_out(annotator, assignment)
    if not done:
        return _workbench(request, annotator, campaign, assignment, attempt)
    is_done = request.POST.get("action") != "draft"
    messages.success(request, done, extra_tags=BETWEEN_SAMPLES if is_done else "")
    if is_done:
        _lease_next(request, annotator, campaign)
    return redirect("annotation:workbench", slug=slug)


@require_POST
def open_severe(request: HttpRequest, slug: str, assignment_id: uuid.UUID) -> HttpResponse:
    """Uncover a text estimated severe."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    assignment = permissions.slot_for(annotator, campaign, assignment_id)
    try:
        unlabelled.uncover(annotator=annotator, assignment=assignment)
    except (services.NotYoursError, services.RestFirstError) as refused:
        messages.warning(request, str(refused))
    return redirect("annotation:workbench", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def flag(request: HttpRequest, slug: str, assignment_id: uuid.UUID) -> HttpResponse:
    """Ask what is wrong with a sample, and tell the lead."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    assignment = permissions.assignment_for(annotator, campaign, assignment_id)
    form = FlagForm(request.POST or None, initial={"key": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            unlabelled.flag_sample(annotator=annotator, assignment=assignment, **form.cleaned_data)
        except services.KeyReusedError as reused:
            messages.warning(request, str(reused))
        else:
            messages.success(request, "Flagged. The lead will look at it; label or pass it as you see fit.")
        return redirect("annotation:workbench", slug=slug)
    context = {"campaign": campaign, "sample": assignment.sample, "form": form}
    return render(request, "annotation/labelling/flag.html", context, status=422 if form.errors else 200)


@require_POST
def undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring the latest label or pass back on screen."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    try:
        unlabelled.undo_last(annotator=annotator, campaign=campaign)
    except services.LockedError as locked:
        messages.warning(request, str(locked))
    else:
        messages.success(request, "Undone. Your answers are below; change them and save again.")
    return redirect("annotation:workbench", slug=slug)


@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """End the sitting and go home."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    campaign = permissions.campaign_for(annotator, slug)
    unlabelled.leave(annotator=annotator, campaign=campaign)
    messages.success(request, "Your sitting is over. Everything you saved is saved; the rest waits for you.")
    return redirect("home")


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
        saved = attempt.correct(annotator, label)
        if saved:
            messages.success(request, f"Correction saved. {saved}")
            return redirect("annotation:own_labels", slug=slug)
    context = _correction(annotator, campaign, label, attempt)
    return render(request, "annotation/labelling/correct.html", context, status=attempt.status)


class _Attempt:
    """A form on its way: what was sent, if anything, and why it was refused when it was."""

    def __init__(self, campaign: Campaign, data: QueryDict | None = None) -> None:
        self.scheme = selectors.scheme_of(campaign)
        self.data = data if data is not None else QueryDict()
        self.answers = posted_answers(self.scheme, self.data)
        self.note = self.data.get("note", "")
        self.errors: dict[str, str] = {}
        self.problem = ""
        self.status = 200

    def carry_out(self, annotator: User, assignment: Assignment) -> str:
        """Do what the pressed button says; return it in words, or nothing when it was refused."""
        deeds = {"pass": self._pass, "draft": self._keep}
        deed = deeds.get(self.data.get("action", ""), self._save)
        return self._attempt(partial(deed, annotator, assignment))

    def correct(self, annotator: User, label: Label) -> str:
        """Store a correction; return it in words, or nothing when it was refused."""
        return self._attempt(partial(self._correct, annotator, label))

    def _correct(self, annotator: User, label: Label, form: SubmissionForm) -> str:
        submission = form.submission(self.answers)
        return _saved(services.correct_label(annotator=annotator, label=label, submission=submission))

    def _save(self, annotator: User, assignment: Assignment, form: SubmissionForm) -> str:
        receipt = services.record_label(
            annotator=annotator, assignment=assignment, submission=form.submission(self.answers)
        )
        return _saved(receipt)

    def _pass(self, annotator: User, assignment: Assignment, form: SubmissionForm) -> str:
        unlabelled.pass_sample(annotator=annotator, assignment=assignment, key=form.cleaned_data["key"])
        return "Passed. Nobody asks why."

    def _keep(self, annotator: User, assignment: Assignment, form: SubmissionForm) -> str:
        unlabelled.keep_draft(
            annotator=annotator,
            assignment=assignment,
            answers=self.answers,
            note=form.cleaned_data["note"],
        )
        return "Draft kept. It is not a label until you save it."

    def _attempt(self, write: Callable[[SubmissionForm], str]) -> str:
        """Give the form to a service; keep its refusal in the person's words."""
        form = SubmissionForm(self.data)
        if not form.is_valid():
            self.problem, self.status = "The form arrived incomplete. Check it and save again.", 422
            return ""
        try:
            return write(form)
        except AnswerErrors as wrong:
            self.errors, self.status = wrong.errors, 422
            self.problem = "Not saved yet: some answers are missing or do not fit together."
        except (services.KeyReusedError, services.AlreadyLabelledError, services.NotYoursError) as conflict:
            self.problem, self.status = str(conflict), 409
        except services.LabelNotRecordedError as refused:
            self.problem, self.status = str(refused), 422
        return ""


def _lease_next(request: HttpRequest, annotator: User, campaign: Campaign) -> None:
    try:
        queue.assign_next(campaign=campaign, annotator=annotator)
    except queue.CampaignNotOpenError as closed:
        messages.warning(request, str(closed))


def _saved(receipt: services.Receipt) -> str:
    at = timezone.localtime(receipt.label.created_at).strftime("%H:%M:%S %Z")
    return f"Saved {at}, receipt {str(receipt.label.pk)[:8]}."


def _workbench(
    request: HttpRequest,
    annotator: User,
    campaign: Campaign,
    assignment: Assignment | None,
    attempt: _Attempt | None = None,
) -> HttpResponse:
    standing = standing_of(annotator, campaign)
    context: dict[str, Any] = {
        "campaign": campaign,
        "assignment": assignment,
        "standing": standing,
        "is_simulated": campaign.is_simulated,
        "api_base": f"{reverse('api:reference')}campaigns/{campaign.slug}/",
        "time_left": presenter.time_left(standing.seconds_left),
        "worked_today": presenter.worked(standing.seconds_today),
        "flag_kinds": FlagKind.choices,
        "is_break_due": assignment is not None and is_break_due(request, standing),
        "ahead": None if assignment or not standing.waiting else ahead_of(annotator, campaign, standing),
        "pause": None if assignment else _pause(campaign, annotator),
        "missing": [] if assignment else missing_for(campaign, annotator),
    }
    attempt = attempt or _Attempt(campaign)
    if assignment is not None:
        context |= _with_draft(assignment, attempt)
        context |= _reading(annotator, assignment.sample, attempt, is_covered=is_covered(assignment))
    return render(request, "annotation/labelling/workbench.html", context, status=attempt.status)


def _pause(campaign: Campaign, annotator: User) -> queue.Pause | None:
    pause = queue.pause_of(campaign, annotator)
    return pause if pause and (pause.until is None or pause.until > timezone.now()) else None


def _with_draft(assignment: Assignment, attempt: _Attempt) -> dict[str, Any]:
    """Fill the form from the draft where nothing was sent."""
    kept = None if attempt.data else drafts.draft_of(assignment)
    if kept is None:
        return {}
    attempt.answers, attempt.note = dict(kept.answers), kept.note
    return {"draft_saved_at": kept.saved_at}


def _reading(
    annotator: User,
    sample: Sample,
    attempt: _Attempt,
    *,
    answers: dict[str, object] | None = None,
    is_covered: bool = False,
) -> dict[str, Any]:
    """Return the sample's text and its questions; that the person read it is written down."""
    if not is_covered:
        record_access(actor=annotator, action=Action.VIEWED, obj_type="sample", obj_id=str(sample.pk))
    given = answers if answers is not None else attempt.answers
    present = selectors.turns_present(sample)
    return {
        "sample": sample,
        "is_covered": is_covered,
        "turns": [] if is_covered else selectors.turns_of(sample),
        "sections": presenter.sections(attempt.scheme, present, given, attempt.errors),
        "problem": attempt.problem,
        "note": attempt.note,
        "reason": attempt.data.get("reason", ""),
        # A refused form keeps its key, so that pressing Save again cannot store it twice.
        "key": attempt.data.get("key") or uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
    }


def _correction(annotator: User, campaign: Campaign, label: Label, attempt: _Attempt) -> dict[str, Any]:
    if not attempt.data and label.note:
        with suppress(TextErasedError):  # the clinician's key was destroyed; the answers stand
            attempt.note = open_text(label.note)
    context = _reading(annotator, label.sample, attempt, answers=attempt.answers or dict(label.answers))
    is_latest = Label.objects.current().filter(pk=label.pk).exists()
    return context | {
        "campaign": campaign,
        "label": label,
        "is_latest": is_latest,
        "is_simulated": campaign.is_simulated,
    }
