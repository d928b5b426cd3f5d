"""Read a campaign's selection: its report and its picks, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.core.paginator import Page, Paginator

from annotation.intake.services import waiting_imports
from annotation.models import Campaign, PickReason, SampleSelection, SelectionRun
from annotation.selection.picture import in_words
from datasets_app.selection.documents import Report

ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class ReasonRow:
    """How many samples were picked for one reason, and how the reason is asked for."""

    code: str
    name: str
    count: int


@dataclass(frozen=True)
class PickRow:
    """One pick in words; no text of its conversation."""

    number: int
    reason: str
    is_estimated_severe: bool
    category: str
    difficulty: str
    origin: str
    scores: Sequence[float]
    percent: float  # its inclusion probability
    weight: float


def selection_of(campaign: Campaign) -> SampleSelection | None:
    """Return the campaign's selection, if it has one."""
    return SampleSelection.objects.select_related("made_by").filter(campaign=campaign).first()


def latest_run(campaign: Campaign) -> SelectionRun | None:
    """Return the last run that was started for the campaign, however it stands."""
    runs = SelectionRun.objects.select_related("started_by", "cancel_asked_by").filter(campaign=campaign)
    return runs.order_by("-created_at").first()


def report_of(selection: SampleSelection) -> Report:
    """Return the report that was written when the selection was made."""
    return msgspec.convert(selection.report, Report)


def imports_waiting(campaign: Campaign) -> int:
    """Return how many imports name the campaign, which takes none since it has a selection."""
    return waiting_imports().filter(campaign_slug=campaign.slug).count()


def reasons_of(report: Report) -> list[ReasonRow]:
    """Return the reasons in their order, those without a pick left out."""
    return [
        ReasonRow(reason.value, str(reason.label), report.reasons[reason.value])
        for reason in PickReason
        if report.reasons.get(reason.value)
    ]


def page_of_picks(selection: SampleSelection, reason: str, page: str | None) -> Page[Any]:
    """Return one page of the picks, by sample number; of one reason where one is named."""
    picks = selection.picks.select_related("sample").order_by("sample__number")
    found = Paginator(picks.filter(reason=reason) if reason else picks, ROWS_PER_PAGE).get_page(page)
    found.object_list = [
        PickRow(
            number=pick.sample.number,
            reason=pick.get_reason_display(),
            is_estimated_severe=pick.sample.is_estimated_severe,
            category=in_words(pick.category),
            difficulty=in_words(pick.difficulty),
            origin=in_words(pick.origin),
            scores=[pick.scores[name] for name in ("rarity", "difficulty", "ambiguity", "length")],
            percent=100 * pick.inclusion_probability,
            weight=pick.sample.sampling_weight,
        )
        for pick in found.object_list
    ]
    return found
