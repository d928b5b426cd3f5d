"""Pages: sources with their counts, upload, preview, and how an import went."""

from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from datasets_app.importing import selectors, services
from datasets_app.importing.forms import (
    MEGABYTE,
    ConversationFilter,
    ReadingForm,
    UploadForm,
    format_name,
    reading_initial,
)
from datasets_app.importing.preview import preview_of
from datasets_app.importing.progress import read_progress
from datasets_app.importing.running import SourceBusyError
from datasets_app.models import ImportJob, ImportState, Upload
from datasets_app.permissions import requires_count_reader, requires_lead
from datasets_app.withdrawal import SourceWithdrawnError
from prometheus_site.accounts.permissions import SignedInRequest
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

ROWS_PER_PAGE = 50
Row = TypeVar("Row", bound=Model)


@requires_count_reader
@require_safe
def source_list(request: SignedInRequest) -> HttpResponse:
    context = {
        "sources": selectors.sources_with_counts(request.user),
        "previews": selectors.open_previews(request.user),
        "can_import": request.user.has_role(Role.LEAD),
    }
    return render(request, "datasets_app/importing/sources.html", context)


@requires_count_reader
@require_safe
def conversation_list(request: SignedInRequest) -> HttpResponse:
    """List ids and facts; no text."""
    chosen = ConversationFilter(request.GET).ids()
    if chosen is None:
        raise Http404
    source_id, import_id = chosen
    source = job = None
    if source_id:
        source = get_object_or_404(selectors.sources_visible_to(request.user), pk=source_id)
    if import_id:
        job = get_object_or_404(selectors.imports_visible_to(request.user), pk=import_id)
    found = selectors.conversations_of(request.user, source_id=source_id, import_id=import_id)
    record_access(actor=request.user, action=Action.LISTED, obj_type="conversation")
    context = {"page": _page(request, found), "source": source, "job": job}
    return render(request, "datasets_app/importing/conversations.html", context)


@requires_lead
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        return _upload_page(request, UploadForm(initial={"campaign": request.GET.get("campaign", "")}))
    body_bytes = int(request.META.get("CONTENT_LENGTH") or 0)
    form = UploadForm(request.POST, request.FILES, body_bytes=body_bytes)
    if not form.is_valid():
        return _upload_page(request, form, status=422)
    try:
        stored = services.store_upload(**form.cleaned_data, user=request.user)
    except (services.SourceExistsError, SourceWithdrawnError) as refused:
        form.add_error("new_source", str(refused))
        return _upload_page(request, form, status=422)
    return redirect("data:preview", stored.pk)


@requires_lead
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: SignedInRequest, upload_id: UUID) -> HttpResponse:
    """Show how the file reads; a POST changes how it is read, or imports it as it was shown."""
    stored = _upload(request, upload_id)
    job = stored.job
    if job.state != ImportState.PREVIEW:
        return redirect("data:import", job.pk)
    found = preview_of(stored, format=job.format, options=job.options)
    initial = reading_initial(job.format, job.options)
    form = ReadingForm(request.POST or None, columns=found.columns, initial=initial)
    if request.method == "POST" and form.is_valid():
        return _read_or_import(request, stored, form)
    record_access(actor=request.user, action=Action.VIEWED, obj_type="upload", obj_id=str(upload_id))
    context = {"upload": stored, "job": job, "preview": found, "form": form}
    status = 422 if request.method == "POST" else 200
    return render(request, "datasets_app/importing/preview.html", context, status=status)


@requires_lead
@require_POST
def discard_upload(request: SignedInRequest, upload_id: UUID) -> HttpResponse:
    stored = _upload(request, upload_id)
    try:
        services.discard_upload(upload=stored)
    except services.ImportStateError as refused:
        messages.error(request, str(refused))
        return redirect("data:import", stored.job.pk)
    messages.success(request, f"{stored.file_name} was discarded: nothing of its text is kept.")
    return redirect("data:sources")


@requires_count_reader
@require_safe
def import_job(request: SignedInRequest, job_id: UUID) -> HttpResponse:
    """Show how an import stands; htmx asks for the changing part alone."""
    job = _job(request, job_id)
    context = {
        "job": job,
        "format_name": format_name(job.format),
        "progress": read_progress(job.pk) if job.is_active else None,
        "reasons": selectors.reject_counts(job),
        "can_try_again": selectors.can_try_again(request.user, job),
    }
    name = "_state.html" if "HX-Request" in request.headers else "job.html"
    return render(request, f"datasets_app/importing/{name}", context)


@requires_lead
@require_POST
def retry_import(request: SignedInRequest, job_id: UUID) -> HttpResponse:
    job = _job(request, job_id)
    try:
        stored = services.retry_import(job=job, user=request.user)
    except services.ImportStateError as refused:
        messages.error(request, str(refused))
        return redirect("data:import", job.pk)
    return redirect("data:preview", stored.pk)


@requires_count_reader
@require_safe
def reject_list(request: SignedInRequest, job_id: UUID) -> HttpResponse:
    job = _job(request, job_id)
    reason = request.GET.get("reason", "")
    context = {
        "job": job,
        "page": _page(request, selectors.rejects_of(job, reason)),
        "reasons": selectors.reject_counts(job),
        "reason": reason,
    }
    return render(request, "datasets_app/importing/rejects.html", context)


def _read_or_import(request: SignedInRequest, stored: Upload, form: ReadingForm) -> HttpResponse:
    """Import only what was shown: a change of the reading is previewed first."""
    job, chosen = stored.job, (form.cleaned_data["format"], form.options())
    is_changed = chosen != (job.format, job.options)
    try:
        if "import" in request.POST and not is_changed:
            services.start_import(job=job, user=request.user)
            return redirect("data:import", job.pk)
        services.choose_reading(job=job, format=chosen[0], options=chosen[1])
        if "import" in request.POST:
            messages.info(request, "You changed how the file is read: check the preview, then import it.")
    except (SourceBusyError, services.ImportStateError) as refused:
        messages.error(request, str(refused))
    return redirect("data:preview", stored.pk)


def _upload_page(request: HttpRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "limit_mb": settings.UPLOAD_LIMIT_BYTES // MEGABYTE}
    return render(request, "datasets_app/importing/upload.html", context, status=status)


def _upload(request: SignedInRequest, upload_id: UUID) -> Upload:
    return get_object_or_404(selectors.uploads_visible_to(request.user), pk=upload_id)


def _job(request: SignedInRequest, job_id: UUID) -> ImportJob:
    return get_object_or_404(selectors.imports_visible_to(request.user), pk=job_id)


def _page(request: HttpRequest, rows: QuerySet[Row]) -> Page[Row]:
    return Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
