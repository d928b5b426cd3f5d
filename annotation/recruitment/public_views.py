"""Pages without a login: the campaign's public page, and one's own application by its link."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.guidelines.rendering import rendered
from annotation.models import Application, ApplicationLink, CurriculumVitae, Recruitment
from annotation.recruitment import answers as answer_store
from annotation.recruitment import links, services, spam
from annotation.recruitment.advance import move_by_hand
from annotation.recruitment.cv_files import LIMIT_BYTES, kind_of
from annotation.recruitment.forms import ApplicationForm, OpenForm, StartForm
from annotation.recruitment.stages import WAY, Stage
from annotation.recruitment.upload_handler import FIELD, CvUploadHandler

P = ParamSpec("P")
LinkView = Callable[Concatenate[HttpRequest, ApplicationLink, P], HttpResponse]
TokenView = Callable[Concatenate[HttpRequest, str, P], HttpResponse]
OPENED = "opened_applications"
MEGABYTE = 1024 * 1024
VERSION_DIGITS = 10  # int() raises for thousands of them
FACTS = ("what", "why", "pay", "hours", "content_warning", "data_promise")


# --- The campaign's public page ----------------------------------------------------------------------------
@login_not_required
@require_safe
def campaign_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what the work is, why, for what pay and hours, what one reads, and what happens to one's data."""
    facts = _facts(slug)
    context = {
        "campaign": facts.campaign,
        "facts": facts,
        "is_simulated": facts.campaign.is_simulated,
        **{name: rendered(getattr(facts, name)) for name in FACTS},
    }
    return render(request, "annotation/recruitment/campaign.html", context)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin an application with an address; every address begins alike, known or not."""
    facts = _facts(slug)
    form = StartForm(request.POST or None)
    if request.method != "POST":
        return _start_page(request, facts, form)
    if not spam.is_within_limit(request, "start"):
        return too_many(request)
    if not form.is_valid():
        return _start_page(request, facts, form.again(), status=422)
    try:
        started, token = services.start_application(campaign=facts.campaign, email=form.cleaned_data["email"])
    except services.RecruitingClosedError as closed:
        messages.error(request, str(closed))
        return redirect("annotation:join", slug=slug)
    _open_here(request, started)
    return redirect("annotation:application", token)


def too_many(request: HttpRequest) -> HttpResponse:
    """Say that this was once too often for an hour."""
    return render(request, "annotation/recruitment/too_many.html", status=429)


def _facts(slug: str) -> Recruitment:
    return get_object_or_404(Recruitment.objects.select_related("campaign"), campaign__slug=slug)


def _start_page(request: HttpRequest, facts: Recruitment, form: StartForm, status: int = 200) -> HttpResponse:
    context = {"campaign": facts.campaign, "facts": facts, "form": form, "trap": form[spam.TRAP_FIELD]}
    return render(request, "annotation/recruitment/start.html", context, status=status)


# --- One application, by its link --------------------------------------------------------------------------
def by_link(view: LinkView[P]) -> TokenView[P]:
    """Open the view to whoever has the link: it is handed the link, not the token."""

    @login_not_required
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            response = view(request, links.find(token), *args, **kwargs)
        except links.LinkUnknownError as unknown:
            raise Http404 from unknown
        except links.LinkRevokedError:
            response = render(request, "annotation/recruitment/link_refused.html", status=410)
        # The address holds the token, which no Referer may carry; "no-referrer" would break the CSRF check.
        response["Referrer-Policy"] = "strict-origin"
        return response

    return guarded  # type: ignore[return-value]  # wraps() says the same in another way


def token_of(request: HttpRequest) -> str:
    """Return the token in the address that was asked for."""
    match = request.resolver_match
    assert match is not None  # noqa: S101  a view is only reached by a route
    return str(match.kwargs["token"])


def is_open_here(request: HttpRequest, application: Application) -> bool:
    """Say whether this browser gave the application's address: a link alone shows no more than the stage."""
    return str(application.pk) in request.session.get(OPENED, [])


@csrf_exempt  # only until the upload handler is set; the inner view checks the token as every other does
def application(request: HttpRequest, token: str) -> HttpResponse:
    """Show the form while it is not sent, and where the application stands afterwards."""
    request.upload_handlers = [CvUploadHandler(request)]
    return _application(request, token)


@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@by_link
def _application(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    found = link.application
    if not is_open_here(request, found):
        return _closed_page(request, link, OpenForm(), status=403 if request.method == "POST" else 200)
    if request.method == "POST":
        return _save_or_send(request, found)
    return _form_page(request, found) if found.stage == Stage.STARTED else _status_page(request, link)


application.login_required = False  # type: ignore[attr-defined]  # as its inner view says


@require_POST
@by_link
def open_application(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Open the application in this browser for whoever knows the address it was begun with."""
    if not spam.is_within_limit(request, "open"):
        return too_many(request)
    form = OpenForm(request.POST)
    if form.is_valid() and not links.is_address_of(link.application, form.cleaned_data["email"]):
        form.add_error("email", "This link does not belong to that address. Check the spelling.")
    if not form.is_valid():
        return _closed_page(request, link, form, status=422)
    _open_here(request, link.application)
    return _back(request)


@require_POST
@by_link
def confirm_address(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Confirm the address by a link that was sent to it; a second time changes nothing."""
    if not link.proves_address:
        raise Http404
    services.confirm_address(application=link.application)
    messages.success(request, "Your address is confirmed and your application is with the team.")
    return _back(request)


@require_POST
@by_link
def withdraw(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Take the application back, at any time, without a reason."""
    found = goes_on_as(link)
    if not is_open_here(request, link.application):
        raise Http404
    try:
        move_by_hand(application=found, to=Stage.WITHDRAWN, by=None, why="The applicant withdrew.")
        messages.success(request, "Your application is withdrawn. Thank you for your time.")
    except services.MoveRefusedError as refused:
        messages.error(request, str(refused))
    return _back(request)


@require_safe
@by_link
def guideline(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Show the guideline that the quiz asks about."""
    campaign = link.application.campaign
    context = {"campaign": campaign, "guideline": rendered(campaign.guideline.body), "back": request.path}
    return render(request, "annotation/recruitment/guideline.html", context)


def _save_or_send(request: HttpRequest, found: Application) -> HttpResponse:
    """Keep everything that was typed first; then look at the file; then, if asked, at the whole."""
    if not spam.is_within_limit(request, "save"):
        return too_many(request)
    typed = ApplicationForm.typed(request.POST)
    version = request.POST.get("draft_version", "")
    is_number = version.isdecimal() and len(version) <= VERSION_DIGITS
    try:
        saved = services.save_draft(
            application=found, version=int(version) if is_number else -1, answers=typed
        )
        cv_problem = _take_cv(request, saved)
    except services.DraftChangedError as changed:
        return _changed_elsewhere(request, found, typed, str(changed))
    except services.AlreadySentError as sent:
        messages.info(request, str(sent))
        return _back(request)
    if request.POST.get("action") == "autosave":
        return JsonResponse({"draft_version": saved.draft_version})
    if request.POST.get("action") == "send":
        return _send(request, saved, cv_problem)
    if cv_problem:
        return _form_page(request, saved, cv_problem=cv_problem, status=422)
    messages.success(request, "Saved. You can close this page and come back by its address.")
    return _back(request)


def _send(request: HttpRequest, found: Application, cv_problem: str) -> HttpResponse:
    form = ApplicationForm(request.POST)
    if not cv_problem and not CurriculumVitae.objects.filter(application=found).exists():
        cv_problem = "Choose your CV as a PDF or Word file (.docx)."
    if not form.is_valid() or cv_problem:
        return _form_page(request, found, form=form, cv_problem=cv_problem, status=422)
    services.submit_application(application=found, answers=form.sent())
    return _back(request)


def _take_cv(request: HttpRequest, found: Application) -> str:
    """Store the CV that came with the form; return what is wrong with it, "" when nothing is or none came."""
    file = request.FILES.get(FIELD)
    if not isinstance(file, UploadedFile) or not file.name:
        return ""
    if not spam.is_within_limit(request, "cv"):
        return "That was one file too many for an hour. Everything else is saved; send the file later."
    size = file.size or 0
    if size > LIMIT_BYTES:
        return (
            f"This file has {size / MEGABYTE:.0f} MB; a CV may have up to {LIMIT_BYTES // MEGABYTE} MB. "
            "Everything else is saved."
        )
    content = file.read()
    kind = kind_of(content)
    if kind is None:
        return (
            "This is neither a PDF nor a Word file (.docx) without macros, whatever its name says. Save the "
            "CV as PDF and choose it again. Everything else is saved."
        )
    services.store_cv(application=found, kind=kind, content=content)
    return ""


def _changed_elsewhere(
    request: HttpRequest, found: Application, typed: answer_store.Answers, sentence: str
) -> HttpResponse:
    """Show what this tab holds beside what the other one saved: a person chooses what stays."""
    if request.POST.get("action") == "autosave":
        return JsonResponse({"detail": sentence}, status=409)
    found.refresh_from_db()
    stored = answer_store.read(found)
    form = ApplicationForm(initial=stored | typed)
    differing = [
        (form.fields[name].label, stored.get(name, ""))
        for name in form.fields
        if name in typed and typed[name] != stored.get(name, "") and name != "consents"
    ]
    return _form_page(request, found, form=form, changed=sentence, differing=differing, status=409)


def _form_page(
    request: HttpRequest,
    found: Application,
    *,
    form: ApplicationForm | None = None,
    cv_problem: str = "",
    changed: str = "",
    differing: Sequence[tuple[object, str]] = (),
    status: int = 200,
) -> HttpResponse:
    stored = answer_store.read(found)
    context = {
        "application": found,
        "campaign": found.campaign,
        "form": form or ApplicationForm(initial=stored),
        "email": stored["email"],
        "address": request.build_absolute_uri(request.path),
        "cv": CurriculumVitae.objects.filter(application=found).defer("sealed").first(),
        "cv_problem": cv_problem,
        "cv_limit_mb": LIMIT_BYTES // MEGABYTE,
        "changed": changed,
        "differing": differing,
    }
    return render(request, "annotation/recruitment/form.html", context, status=status)


def _status_page(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    found = link.application
    written = answer_store.read_unless_erased(found)
    context = {
        "application": found,
        "campaign": found.campaign,
        "name": written.get("name", ""),
        "email": written.get("email", ""),
        "is_own": True,
        **_stage_context(link),
    }
    return render(request, "annotation/recruitment/status.html", context)


def _closed_page(
    request: HttpRequest, link: ApplicationLink, form: OpenForm, status: int = 200
) -> HttpResponse:
    """Show the stage and nothing personal: the link may have come to somebody else."""
    found = link.application
    context = {
        "application": found,
        "campaign": found.campaign,
        "form": form,
        "is_own": False,
        **_stage_context(link),
    }
    return render(request, "annotation/recruitment/status.html", context, status=status)


def _stage_context(link: ApplicationLink) -> dict[str, object]:
    found, stage = link.application, Stage(goes_on_as(link).stage)
    place = WAY.index(stage) if stage in WAY else -1
    steps = [(one.label, index < place, index == place) for index, one in enumerate(WAY)]
    return {
        "stage": stage,
        "steps": steps,
        "is_on_the_way": place >= 0,
        "can_confirm": link.proves_address and stage == Stage.UNCONFIRMED and found.confirmed_at is None,
    }


def goes_on_as(link: ApplicationLink) -> Application:
    """Return the application that goes on: of a person who applied twice, the first.

    Only a link that was sent to the address leads there: somebody else may have begun the second form.
    """
    found = link.application
    return found.duplicate_of if found.duplicate_of is not None and link.proves_address else found


def _open_here(request: HttpRequest, found: Application) -> None:
    opened: list[str] = request.session.get(OPENED, [])
    request.session[OPENED] = [*opened, str(found.pk)][-20:]
    if not request.user.is_authenticated:
        request.session.set_expiry(0)  # shared machines: it ends with the browser


def _back(request: HttpRequest) -> HttpResponse:
    """Return to the application's own page, whose address only the visitor's request holds."""
    return redirect("annotation:application", token_of(request))
