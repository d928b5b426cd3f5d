"""Freeze a report of every look that was reached: slow, so it runs in a worker."""

from django.db import transaction
from django.utils import timezone

from annotation.agreement.looks import open_looks
from annotation.agreement.reading import Reading, read_campaign
from annotation.checkpoints.documents import Look, document_of
from annotation.checkpoints.report_file import canonical, digest_of
from annotation.checkpoints.selectors import reached
from annotation.models import Campaign, CheckpointReport


def freeze_due_looks(campaign: Campaign) -> list[CheckpointReport]:
    """Freeze a report of every look that was reached and has none; return the new ones. Idempotent."""
    looks = open_looks(campaign)
    frozen = list[CheckpointReport]()
    if not looks:
        return frozen
    reading = read_campaign(campaign)
    for look in looks:
        at = reached(look, campaign, reading)
        if at is not None:
            earlier = list(campaign.checkpoint_reports.order_by("number"))
            found = Look(campaign, look, at, len(earlier) + 1, earlier)
            report = _freeze(found, reading)
            frozen += [report] if report else []
    return frozen


def _freeze(look: Look, reading: Reading) -> CheckpointReport | None:
    """Store the report, unless another worker was faster or the look no longer stands."""
    now = timezone.now()
    document = canonical(document_of(look, reading, now))
    with transaction.atomic():
        # NO KEY: saves of labels refer to the campaign and must not wait.
        locked = Campaign.objects.select_for_update(no_key=True).get(pk=look.campaign.pk)
        has_moved = locked.checkpoint_reports.count() != len(look.earlier)
        if has_moved or look.declared not in open_looks(locked):
            return None
        report: CheckpointReport = CheckpointReport.objects.create(
            campaign=locked,
            look=look.declared,
            number=look.number,
            frozen_at=now,
            document=document.decode(),
            digest=digest_of(document),
        )
        return report
