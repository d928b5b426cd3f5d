"""The page of care: a clinician's own limits, today, topics and check-ins. Nobody else has one of it."""

import uuid

from django.contrib import messages
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import permissions
from annotation.labelling.presenter import worked
from annotation.wellbeing import opt_outs, selectors, services, support
from annotation.wellbeing.forms import MOODS, CheckInForm, LimitsForm, OptOutForm, SupportContactsForm
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role


@require_safe
def care(request: HttpRequest) -> HttpResponse:
    """Show the person's own care."""
    return _page(request, permissions.person(request, Role.ANNOTATOR))


@require_POST
def set_limits(request: HttpRequest) -> HttpResponse:
    """Set the person's limits."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    form = LimitsForm(request.POST, instance=selectors.limits_of(annotator))
    if not form.is_valid():
        return _page(request, annotator, limits_form=form)
    services.set_limits(user=annotator, limits=form.cleaned_data)
    return _done(request, "Your limits are saved. They hold from the next sample on.")


@require_POST
def opt_out(request: HttpRequest) -> HttpResponse:
    """Let a topic not come any more."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    form = OptOutForm(request.POST, topics=opt_outs.topics_for(annotator))
    if not form.is_valid():
        return _page(request, annotator, opt_out_form=form)
    services.opt_out(user=annotator, topic=form.cleaned_data["topic"])
    return _done(request, f"Nothing more on “{form.cleaned_data['topic']}” comes to you. Nobody asks why.")


@require_POST
def opt_in(request: HttpRequest, opt_out_id: uuid.UUID) -> HttpResponse:
    """Let a topic come again."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    if not services.opt_in(user=annotator, opt_out_id=opt_out_id):
        raise Http404
    return _done(request, "The topic may come to you again.")


@require_POST
def check_in(request: HttpRequest) -> HttpResponse:
    """Keep how the person is."""
    annotator = permissions.person(request, Role.ANNOTATOR)
    form = CheckInForm(request.POST)
    if not form.is_valid():
        return _page(request, annotator, check_in_form=form)
    services.check_in(user=annotator, answers=form.cleaned_data)
    return _done(request, "Kept, for you alone.")


@require_http_methods(["GET", "HEAD", "POST"])
def support_contacts(request: HttpRequest) -> HttpResponse:
    """Show the contacts of every language to a lead; a POST sets those of one."""
    lead = permissions.person(request, Role.LEAD)
    form = SupportContactsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        support.set_contacts(changed_by=lead, **form.cleaned_data)
        messages.success(request, "Saved. They are shown from now on.")
        return redirect("annotation:support_contacts")
    context = {"form": form, "all_contacts": support.all_contacts()}
    status = 422 if form.errors else 200
    return render(request, "annotation/wellbeing/support_contacts.html", context, status=status)


def _done(request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("annotation:care")


def _page(request: HttpRequest, annotator: User, **bound: BaseForm) -> HttpResponse:
    """Render the page, with the form that was refused in place of the fresh one."""
    today = selectors.today_of(annotator)
    forms: dict[str, BaseForm] = {
        "limits_form": LimitsForm(instance=selectors.limits_of(annotator)),
        "opt_out_form": OptOutForm(topics=opt_outs.topics_for(annotator)),
        "check_in_form": CheckInForm(),
    }
    context = (
        forms
        | bound
        | {
            "today": today,
            "worked_today": worked(today.exposure.seconds_today),
            "minutes_today": today.exposure.seconds_today // 60,
            "opt_outs": opt_outs.live_opt_outs(annotator),
            "check_ins": selectors.check_ins_of(annotator),
            "moods": dict(MOODS),
        }
    )
    return render(request, "annotation/wellbeing/care.html", context, status=422 if bound else 200)
