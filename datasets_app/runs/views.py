"""Pages of phase 1: its runs, how one goes, and to start, cancel and resume one."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from datasets_app.models import DatasetRun
from datasets_app.permissions import requires_runner
from datasets_app.runs import selectors, services
from datasets_app.runs.forms import StartForm, initial_for
from datasets_app.runs.picture import picture_of
from datasets_app.runs.steps import step_rows
from prometheus_site.accounts.permissions import SignedInRequest

ROWS_PER_PAGE = 20


@requires_runner
@require_http_methods(["GET", "HEAD", "POST"])
def run_list(request: SignedInRequest) -> HttpResponse:
    """Show every run and the form that starts one; a POST starts it."""
    if request.method != "POST":
        return _list_page(request, StartForm(initial=initial_for(request.GET.get("step", ""))))
    form = StartForm(request.POST)
    if not form.is_valid():
        return _list_page(request, form, status=422)
    try:
        run = services.start_run(**form.cleaned_data, user=request.user)
    except services.RunBusyError as refused:
        messages.error(request, str(refused))
        return redirect("runs:list")
    return redirect("runs:run", run.pk)


@requires_runner
@require_safe
def show_run(request: SignedInRequest, run_id: UUID) -> HttpResponse:
    """Show how a run goes; htmx asks for the changing part alone."""
    run = _run(request, run_id)
    context = {
        "run": run,
        "rows": step_rows(run.steps, run.step_states, timezone.now()),
        "picture": picture_of(run.report) if run.report else None,
    }
    name = "_state.html" if "HX-Request" in request.headers else "run.html"
    return render(request, f"datasets_app/runs/{name}", context)


@requires_runner
@require_POST
def cancel_run(request: SignedInRequest, run_id: UUID) -> HttpResponse:
    run = _run(request, run_id)
    try:
        services.cancel_run(run=run, user=request.user)
    except services.RunStateError as refused:
        messages.error(request, str(refused))
    return redirect("runs:run", run.pk)


@requires_runner
@require_POST
def resume_run(request: SignedInRequest, run_id: UUID) -> HttpResponse:
    run = _run(request, run_id)
    try:
        services.resume_run(run=run, user=request.user)
    except (services.RunBusyError, services.RunStateError) as refused:
        messages.error(request, str(refused))
    return redirect("runs:run", run.pk)


def _list_page(request: SignedInRequest, form: StartForm, status: int = 200) -> HttpResponse:
    page = Paginator(selectors.runs_visible_to(request.user), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "active": selectors.active_run(request.user)}
    return render(request, "datasets_app/runs/list.html", context, status=status)


def _run(request: SignedInRequest, run_id: UUID) -> DatasetRun:
    return get_object_or_404(selectors.runs_visible_to(request.user), pk=run_id)
