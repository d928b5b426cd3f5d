"""Pages of hours and pay: one's own for clinicians, everybody's for the lead."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from annotation import permissions
from annotation.models import Campaign
from annotation.pay import presenter, selectors, services
from annotation.pay.forms import CorrectionForm, MonthForm, RateForm, TermsForm
from annotation.pay.spans import Month
from annotation.pay.statement_file import PersonMonth, as_csv
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

PAID_ROLES = (Role.ANNOTATOR, Role.ADJUDICATOR)


# --- One's own hours ---------------------------------------------------------------------------------------
@require_safe
def hours(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the person's own hours as they accrue, and what they come to."""
    person = permissions.person(request, *PAID_ROLES)
    campaign = permissions.campaign_once_for(person, slug)
    zone = selectors.zone_of(campaign)
    month = MonthForm(request.GET).chosen() or Month.of(timezone.now(), zone)
    sheet = selectors.sheet_of(campaign, person, month)
    context = _own(campaign, sheet) | {
        "today": selectors.today_of(sheet, zone),
        "days": selectors.days_of(sheet, zone),
        "rates": selectors.rates_of(campaign),
        "statements": selectors.statements_of(campaign, person),
        "is_now": month == Month.of(timezone.now(), zone),
    }
    return render(request, "annotation/pay/hours.html", context)


@require_safe
def statement(request: HttpRequest, slug: str, year: int, month: int) -> HttpResponse:
    """Show the person's own statement of a month."""
    person = permissions.person(request, *PAID_ROLES)
    campaign = permissions.campaign_once_for(person, slug)
    sheet = selectors.sheet_of(campaign, person, _month(year, month))
    return render(request, "annotation/pay/statement.html", _own(campaign, sheet))


@require_safe
def statement_csv(request: HttpRequest, slug: str, year: int, month: int) -> HttpResponse:
    """Give the person's own statement as a file."""
    person = permissions.person(request, *PAID_ROLES)
    campaign = permissions.campaign_once_for(person, slug)
    sheet = selectors.sheet_of(campaign, person, _month(year, month))
    return _file(campaign, sheet.month, [presenter.person_month(campaign, sheet)], "statement")


def _own(campaign: Campaign, sheet: selectors.Sheet) -> dict[str, Any]:
    return {
        "campaign": campaign,
        "sheet": sheet,
        "terms": sheet.terms,
        "zone": selectors.zone_of(campaign),
        "corrections": presenter.entries_of(sheet),
        "is_simulated": campaign.is_simulated,
    }


# --- Everybody's, for the lead -----------------------------------------------------------------------------
@require_safe
def payroll(request: HttpRequest, slug: str) -> HttpResponse:
    """Show everybody's hours and pay of a month."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    return _payroll(request, lead, campaign)


@require_safe
def payroll_csv(request: HttpRequest, slug: str, year: int, month: int) -> HttpResponse:
    """Give everybody's statements of a month as a file."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    chosen = _month(year, month)
    record_access(actor=lead, action=Action.EXPORTED, obj_type="pay", obj_id=str(campaign.pk))
    sheets = selectors.sheets_of(campaign, chosen)
    return _file(campaign, chosen, [presenter.person_month(campaign, sheet) for sheet in sheets], "payroll")


@require_POST
def set_terms(request: HttpRequest, slug: str) -> HttpResponse:
    """Put new terms in force."""
    return _change(request, slug, "terms", services.set_terms, by="set_by", done="The terms are in force.")


@require_POST
def set_rate(request: HttpRequest, slug: str) -> HttpResponse:
    """Pay a role so much from a day on."""
    return _change(request, slug, "rate", services.set_rate, by="set_by", done="The rate is saved.")


@require_POST
def correct_pay(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a correction to a person's pay of this month."""
    done = "The correction is saved; the person sees it."
    return _change(request, slug, "correction", services.correct_pay, by="made_by", done=done)


@require_POST
def close_month(request: HttpRequest, slug: str) -> HttpResponse:
    """Write down everybody's statement of a month for good."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    month = MonthForm(request.POST).chosen()
    try:
        if month is None:
            raise services.PayRefusedError("Say which month to close, as 2026-11.")
        made = services.close_month(campaign=campaign, month=month, closed_by=lead)
    except services.PayRefusedError as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, f"{month.first:%B %Y} is closed: {len(made)} statement(s) stand for good.")
    address = reverse("annotation:payroll", args=[slug])
    return redirect(f"{address}?month={month.first:%Y-%m}" if month else address)


def _change(
    request: HttpRequest, slug: str, name: str, service: Callable[..., object], *, by: str, done: str
) -> HttpResponse:
    """Give one of the forms of the payroll page to its service."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    form = _forms(campaign, {name: request.POST})[name]
    if form.is_valid():
        try:
            service(campaign=campaign, **form.cleaned_data, **{by: lead})
        except services.PayRefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, done)
            return redirect("annotation:payroll", slug=slug)
    return _payroll(request, lead, campaign, {name: form})


def _payroll(
    request: HttpRequest, lead: User, campaign: Campaign, refused: dict[str, forms.Form] | None = None
) -> HttpResponse:
    record_access(actor=lead, action=Action.LISTED, obj_type="pay", obj_id=str(campaign.pk))
    this_month = Month.of(timezone.now(), selectors.zone_of(campaign))
    month = MonthForm(request.GET).chosen() or this_month
    first_open = selectors.first_open(campaign)
    context = {
        "campaign": campaign,
        "month": month,
        "payroll": presenter.payroll_of(selectors.sheets_of(campaign, month)),
        "terms": selectors.terms_of(campaign),
        "rates": selectors.rates_of(campaign),
        "first_open": first_open,
        "can_close": first_open is not None and first_open < this_month,
        "is_now": month == this_month,
        "forms": _forms(campaign, {}) | (refused or {}),
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/pay/payroll.html", context, status=422 if refused else 200)


def _forms(campaign: Campaign, sent: dict[str, Any]) -> dict[str, forms.Form]:
    terms = selectors.terms_of(campaign)
    standing = {name: getattr(terms, name) for name in TermsForm.base_fields} if terms else None
    new = {"key": uuid.uuid4()}
    return {
        "terms": TermsForm(sent.get("terms"), initial=standing, prefix="terms"),
        "rate": RateForm(sent.get("rate"), prefix="rate"),
        "correction": CorrectionForm(
            sent.get("correction"), initial=new, campaign=campaign, prefix="correction"
        ),
    }


def _month(year: int, month: int) -> Month:
    chosen = MonthForm({"month": f"{year:04}-{month:02}"}).chosen()
    if chosen is None:
        raise Http404
    return chosen


def _file(campaign: Campaign, month: Month, months: list[PersonMonth], kind: str) -> HttpResponse:
    kind = f"simulated-{kind}" if campaign.is_simulated else kind
    name = f"{campaign.slug}-{kind}-{month.first:%Y-%m}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(as_csv(months), content_type="text/csv; charset=utf-8", headers=headers)
