"""Declare the looks of a campaign, ask for its end, tell the workers where one may be due, sign reports."""

from django.db import transaction
from django.db.models import Max

from annotation.agreement.looks import error_spent, open_looks, standing_looks
from annotation.agreement.reading import read_campaign
from annotation.agreement.statistics import alpha
from annotation.checkpoints import selectors
from annotation.checkpoints.declaring import looks_to_declare
from annotation.checkpoints.report_file import digest_of
from annotation.models import (
    Campaign,
    CampaignState,
    CheckpointReport,
    DeclaredLook,
    EndRequest,
    LookDeclaration,
    ReportSignature,
)
from annotation.tasks import freeze_looks
from prometheus_site.accounts.models import User
from prometheus_site.audit import signing
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.nudges import nudge


class CheckpointRefusedError(Exception):
    """The looks cannot be declared or asked for so; the text says why."""


def declare_first_looks(*, campaign: Campaign, declared_by: User | None = None) -> LookDeclaration | None:
    """Declare the looks of a campaign that has a plan and has declared none; None where none is wanted.

    Called when a campaign opens, and by the sweeper for one that opened before looks were stored.
    """
    with transaction.atomic():
        locked = _locked(campaign)
        if locked.look_declarations.exists():
            return None
        because = "campaign opened" if declared_by else "open before looks were stored"
        return _declare(locked, because, declared_by)


def declare_looks_anew(*, campaign: Campaign, n_planned: int, declared_by: User) -> LookDeclaration:
    """Declare the looks to come from the plan as it is now; those with a report stand.

    ``n_planned`` is the end that the lead was shown. Raises CheckpointRefusedError.
    """
    with transaction.atomic():
        locked = _locked(campaign)
        overview = selectors.overview_of(locked)
        if not overview.can_declare:
            raise CheckpointRefusedError(
                "There is nothing to declare anew: the looks fit the plan, or one is due."
            )
        if overview.n_planned != n_planned:
            raise CheckpointRefusedError(
                f"The plan has changed meanwhile: it has {overview.n_planned} overlap items now. Look again."
            )
        declared = _declare(locked, "plan changed", declared_by)
        if declared is None:
            raise CheckpointRefusedError("No look is left to be declared.")
        record_access(
            actor=declared_by, action=Action.CHANGED, obj_type="checkpoints", obj_id=str(campaign.pk)
        )
        return declared


def ask_for_end(*, campaign: Campaign, requested_by: User) -> EndRequest:
    """Ask for the look at the end of a campaign that ended short of it. Raises CheckpointRefusedError."""
    with transaction.atomic():
        locked = _locked(campaign)
        if not selectors.overview_of(locked).can_ask_for_end:
            raise CheckpointRefusedError(
                "The end can be looked at once, when the campaign is closed or nothing is left to label, "
                "and every label is locked: that takes half an hour after the last."
            )
        (end,) = [look for look in open_looks(locked) if look.is_end]
        request: EndRequest = EndRequest.objects.create(look=end, requested_by=requested_by)
        record_access(
            actor=requested_by, action=Action.CREATED, obj_type="end_request", obj_id=str(request.pk)
        )
        transaction.on_commit(lambda: nudge(freeze_looks, str(campaign.pk)))
        return request


def look_after_looks() -> int:
    """Declare looks where a plan has none, and tell the workers where one may be due; return how many.

    The declared looks are the queue; a nudge that gets lost is given again at the next sweep.
    """
    campaigns = Campaign.objects.exclude(state=CampaignState.DRAFT).order_by("created_at")
    for campaign in campaigns.filter(look_declarations__isnull=True):
        declare_first_looks(campaign=campaign)
    return sum(
        nudge(freeze_looks, str(campaign.pk)) for campaign in campaigns if selectors.may_be_due(campaign)
    )


def sign_reports() -> int:
    """Sign every report that waits for it; return how many. Idempotent; the sweeper's, who holds the key."""
    unsigned = list(CheckpointReport.objects.filter(signed__isnull=True).order_by("frozen_at"))
    for report in unsigned:
        signature, _ = signing.sign(digest_of(report.document.encode()))
        ReportSignature.objects.bulk_create(
            [ReportSignature(report=report, signature=signature, public_key=signing.public_key_pem())],
            ignore_conflicts=True,  # another sweeper was faster
        )
    return len(unsigned)


def _declare(campaign: Campaign, because: str, declared_by: User | None) -> LookDeclaration | None:
    n_planned = selectors.planned_items(campaign)
    if not n_planned:
        return None
    spent = error_spent(standing_looks(campaign))
    n_complete, n_passed = selectors.complete_items(read_campaign(campaign))
    looks = looks_to_declare(n_planned, n_complete=n_complete, n_passed=n_passed, spent=spent)
    if not looks:
        return None
    number = campaign.look_declarations.aggregate(top=Max("number"))["top"] or 0
    declaration: LookDeclaration = LookDeclaration.objects.create(
        campaign=campaign,
        number=number + 1,
        declared_by=declared_by,
        because=because,
        target=campaign.agreement_target,
        deciding=[
            {
                "dimension": question.key,
                "title": question.title,
                "statistic": f"{alpha(question.scale, list(question.labels)).name}, design-weighted",
                "scale": question.scale.value,
            }
            for question in selectors.questions_of(campaign)
        ],
        n_planned=n_planned,
        n_complete=n_complete,
    )
    DeclaredLook.objects.bulk_create(
        DeclaredLook(
            declaration=declaration,
            n_overlap_items=look.n_overlap_items,
            error_per_side=look.tail,
            is_end=look.n_overlap_items == n_planned,
        )
        for look in looks
    )
    return declaration


def _locked(campaign: Campaign) -> Campaign:
    # NO KEY: saves of labels refer to the campaign and must not wait.
    return Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
