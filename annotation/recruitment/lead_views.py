"""Pages for the lead: the facts, the board, and one application."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import permissions
from annotation.models import Application, Campaign, CurriculumVitae, OutgoingMail
from annotation.qualification.services import QualificationError
from annotation.recruitment import answers, links, mail, selectors, services
from annotation.recruitment.advance import move_by_hand
from annotation.recruitment.evidence import people_of
from annotation.recruitment.facts import save_facts, set_open
from annotation.recruitment.forms import ApplicationForm, FactsForm, MoveForm, TakeInForm
from annotation.recruitment.stages import ENDED, WAY, Stage
from annotation.recruitment.taking_in import take_in
from annotation.screening.bank import parse_bank, shipped_bank
from annotation.screening.selectors import standing_of
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.sealing import TextErasedError

PER_PAGE = 25


@require_safe
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """Show every stage with its count, the applications of one of them, and targets with actuals."""
    lead, campaign = _lead_of(request, slug)
    facts = selectors.recruitment_of(campaign)
    chosen = request.GET.get("stage", "")
    stage = Stage(chosen) if chosen in {one.value for one in selectors.ON_THE_BOARD} else None
    page = Paginator(selectors.applications_in(campaign, stage), PER_PAGE).get_page(request.GET.get("page"))
    record_access(actor=lead, action=Action.LISTED, obj_type="application")
    context = {
        "campaign": campaign,
        "facts": facts,
        "columns": selectors.columns_of(campaign),
        "stage": stage,
        "page": page,
        "rows": selectors.rows_of(campaign, list(page)),
        "targets": selectors.targets_of(campaign, facts) if facts else [],
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/recruitment/board.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def facts(request: HttpRequest, slug: str) -> HttpResponse:
    """Change what the public page says, and the targets."""
    lead, campaign = _lead_of(request, slug)
    standing = selectors.recruitment_of(campaign) or selectors.starting_facts(campaign)
    form = FactsForm(request.POST or None, instance=standing)
    if request.method == "POST" and form.is_valid():
        save_facts(facts=form.save(commit=False), changed_by=lead)
        messages.success(request, "The public page says this from now on.")
        return redirect("annotation:recruiting", slug=slug)
    context = {"campaign": campaign, "form": form, "is_open": standing.is_open}
    status = 422 if form.errors else 200
    return render(request, "annotation/recruitment/facts.html", context, status=status)


@require_POST
def change_recruiting(request: HttpRequest, slug: str) -> HttpResponse:
    """Open or close recruiting. Applications under way go on either way."""
    lead, campaign = _lead_of(request, slug)
    try:
        set_open(campaign=campaign, is_open=request.POST.get("state") == "open", changed_by=lead)
    except services.RecruitmentRefusedError as refused:
        messages.error(request, str(refused))
        return redirect("annotation:recruiting_facts", slug=slug)
    return redirect("annotation:recruiting", slug=slug)


@require_safe
@never_cache
def applicant(request: HttpRequest, slug: str, application_id: uuid.UUID) -> HttpResponse:
    """Show one application whole; that it was read is on record."""
    lead, campaign = _lead_of(request, slug)
    return _applicant_page(request, lead, _application_of(campaign, application_id))


@require_POST
def move_applicant(request: HttpRequest, slug: str, application_id: uuid.UUID) -> HttpResponse:
    """Move the application, with a reason."""
    lead, campaign = _lead_of(request, slug)
    found = _application_of(campaign, application_id)
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _applicant_page(request, lead, found, form, status=422)
    found.stage = form.cleaned_data["seen_in"]
    try:
        to, why = Stage(form.cleaned_data["to"]), form.cleaned_data["why"]
        move_by_hand(application=found, to=to, by=lead, why=why)
        messages.success(request, f"Moved to “{to.label}”.")
    except services.MoveRefusedError as refused:
        messages.error(request, str(refused))
    return redirect("annotation:applicant", slug=slug, application_id=application_id)


@require_POST
def take_in_applicant(request: HttpRequest, slug: str, application_id: uuid.UUID) -> HttpResponse:
    """Make the applicant an annotator of the campaign, invited to calibrate."""
    lead, campaign = _lead_of(request, slug)
    found = _application_of(campaign, application_id)
    form = TakeInForm(request.POST)
    if not form.is_valid():
        return _applicant_page(request, lead, found, take_in_form=form, status=422)
    try:
        person = take_in(application=found, by=lead, why=form.cleaned_data["because"])
        messages.success(request, f"{person} is an annotator of this campaign and may calibrate.")
    except (services.RecruitmentRefusedError, QualificationError) as refused:
        messages.error(request, str(refused))
    return redirect("annotation:applicant", slug=slug, application_id=application_id)


@require_safe
@never_cache
def download_cv(request: HttpRequest, slug: str, application_id: uuid.UUID) -> HttpResponse:
    """Hand the CV over as a file that no browser shows or runs; that it was taken is on record."""
    lead, campaign = _lead_of(request, slug)
    found = _application_of(campaign, application_id)
    try:
        kind, content = services.open_cv(application=found, opened_by=lead)
    except (CurriculumVitae.DoesNotExist, TextErasedError) as gone:
        raise Http404 from gone
    headers = {
        "Content-Disposition": f'attachment; filename="{found.code}.{kind}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return HttpResponse(content, content_type=kind.content_type, headers=headers)


@require_POST
@never_cache
def hand_over_mail(
    request: HttpRequest, slug: str, application_id: uuid.UUID, mail_id: uuid.UUID
) -> HttpResponse:
    """Show an e-mail that was not sent, with a link made now, for the lead to hand over in another way."""
    lead, campaign = _lead_of(request, slug)
    found = _application_of(campaign, application_id)
    unsent = get_object_or_404(
        OutgoingMail.objects.select_related(*mail.RELATED),
        pk=mail_id,
        application=found,
        state__in=mail.CAN_BE_HANDED_OVER,
    )
    try:
        letter = mail.hand_over(mail=unsent, by=lead)
    except TextErasedError as erased:
        raise Http404 from erased
    except mail.ApplicationEndedError as ended:
        messages.error(request, str(ended))
        return redirect("annotation:applicant", slug=slug, application_id=application_id)
    context = {"campaign": campaign, "application": found, "letter": letter, "mail": unsent}
    return render(request, "annotation/recruitment/handed_over.html", context)


@require_POST
def revoke_links(request: HttpRequest, slug: str, application_id: uuid.UUID) -> HttpResponse:
    """Take back every link to the application that went out."""
    lead, campaign = _lead_of(request, slug)
    links.revoke_all(application=_application_of(campaign, application_id), revoked_by=lead)
    messages.success(request, "No link to this application works any more. The next e-mail brings a new one.")
    return redirect("annotation:applicant", slug=slug, application_id=application_id)


@require_POST
def erase_applicant(request: HttpRequest, slug: str, application_id: uuid.UUID) -> HttpResponse:
    """Destroy what the applicant wrote, for ever."""
    lead, campaign = _lead_of(request, slug)
    try:
        services.erase_application(application=_application_of(campaign, application_id), by=lead)
        messages.success(request, "Erased. That there was an application stays; what was in it is gone.")
    except services.MoveRefusedError as refused:
        messages.error(request, str(refused))
    return redirect("annotation:applicant", slug=slug, application_id=application_id)


@require_safe
def question_bank(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the lead every question of the quiz with its key and why it is that."""
    _, campaign = _lead_of(request, slug)
    bank = parse_bank(shipped_bank())
    groups = [
        (theme.title, [question for question in bank.questions if question.theme == key])
        for key, theme in bank.themes.items()
    ]
    context = {"campaign": campaign, "bank": bank, "groups": groups}
    return render(request, "annotation/screening/bank.html", context)


def _lead_of(request: HttpRequest, slug: str) -> tuple[User, Campaign]:
    lead = permissions.person(request, Role.LEAD)
    return lead, permissions.campaign_for(lead, slug)


def _application_of(campaign: Campaign, application_id: uuid.UUID) -> Application:
    """Return an application of the campaign that was sent: a form in the making is its writer's alone."""
    sent = Application.objects.exclude(stage=Stage.STARTED).select_related(
        "data_key", "campaign__scheme", "duplicate_of", "invitation__accepted_by"
    )
    return get_object_or_404(sent, pk=application_id, campaign=campaign)


def _applicant_page(
    request: HttpRequest,
    lead: User,
    found: Application,
    form: MoveForm | None = None,
    take_in_form: TakeInForm | None = None,
    status: int = 200,
) -> HttpResponse:
    record_access(actor=lead, action=Action.VIEWED, obj_type="application", obj_id=str(found.pk))
    written = answers.read_unless_erased(found)
    shown = ApplicationForm(initial=written)
    choices = [(stage.value, stage.label) for stage in selectors.next_stages(found)]
    offered = [("", "Choose"), *choices] if choices else []
    move_form = MoveForm(form.data if form else None, choices=offered, initial={"seen_in": found.stage})
    context = {
        "campaign": found.campaign,
        "application": found,
        "stage": Stage(found.stage),
        "written": written,
        "facts": [(field.label, _in_words(shown, field.name, written)) for field in shown if written],
        "cv": CurriculumVitae.objects.filter(application=found).defer("sealed").first(),
        "history": selectors.history_of(found),
        "mails": found.mails.order_by("queued_at"),
        "can_be_handed_over": mail.CAN_BE_HANDED_OVER,
        "form": move_form if choices else None,
        "waits_for": selectors.waiting_of(found),
        "account": _account_of(found),
        "take_in_form": take_in_form or TakeInForm(),
        "quiz": standing_of(found),
        "duplicates": found.duplicates.all(),
        "now": timezone.now(),
        "is_ended": found.stage in ENDED or found.duplicate_of_id is not None,
    }
    return render(request, "annotation/recruitment/applicant.html", context, status=status)


def _account_of(found: Application) -> dict[str, object]:
    """Return who signs in for the application, and whether that person takes part in the campaign."""
    person = people_of([found]).get(found.pk)
    members = found.campaign.members.filter(user=person, left_at__isnull=True)
    return {
        "is_asked": found.stage in WAY[WAY.index(Stage.CALIBRATION) :] and found.duplicate_of_id is None,
        "person": person,
        "takes_part": person is not None and members.exists(),
    }


def _in_words(form: ApplicationForm, name: str, written: answers.Answers) -> str:
    """Return an answer as its reader chose it, not as its code."""
    value = written.get(name, "")
    if name == "consents":
        return "Yes" if value else "No"
    return str(dict(getattr(form.fields[name], "choices", [])).get(value, value))
