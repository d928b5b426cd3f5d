"""Findings that were worked out once and are kept for everybody who asks."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.cache import cache
from django.utils import timezone

from annotation.agreement.reading import version_of
from annotation.models import Campaign
from annotation.obstacles.findings import Findings
from annotation.obstacles.selectors import findings_in, headlines_of
from annotation.schemes.definition import Dimension

REST_FACTOR = 10  # working them out takes a tenth of the time at most, however large the campaign is
KEPT_SECONDS = 24 * 3600
LAYOUT = (
    2  # raised with every change of what is kept: a new version of the site reads nothing of an older one
)


@dataclass(frozen=True)
class Kept:
    """Findings, of which labels they are, and when they were worked out and how long that took."""

    version: str
    computed_at: datetime
    seconds: float
    findings: Findings

    def is_latest(self, campaign: Campaign) -> bool:
        """Whether there is nothing newer, or it is too early to work that out."""
        rests_until = self.computed_at + timedelta(seconds=REST_FACTOR * self.seconds)
        return timezone.now() < rests_until or self.version == _version(campaign)


def kept_findings(campaign: Campaign, dimension: Dimension) -> Kept | None:
    """Return what was worked out last, if anything was."""
    kept: Kept | None = cache.get(name_of(campaign, dimension))
    return kept


def work_out(campaign: Campaign, dimension: Dimension) -> Kept:
    """Work the findings out of the labels as they are now, and keep them."""
    version, computed_at, started = _version(campaign), timezone.now(), time.monotonic()
    findings = findings_in(campaign, dimension)
    kept = Kept(version, computed_at, time.monotonic() - started, findings)
    name = name_of(campaign, dimension)
    cache.set(name, kept, KEPT_SECONDS)
    cache.delete(asked(name))
    return kept


def work_out_for(campaign_id: UUID, key: str) -> None:
    """Work out the findings of the dimension of that key: for the worker."""
    campaign = Campaign.objects.get(pk=campaign_id)
    work_out(campaign, next(each for each in headlines_of(campaign) if each.key == key))


def name_of(campaign: Campaign, dimension: Dimension) -> str:
    """Return the name under which they are kept."""
    return f"obstacles-{LAYOUT}-{campaign.pk}-{dimension.key}"


def asked(name: str) -> str:
    """Return the name under which it is noted when the worker was asked."""
    return f"{name}-asked"


def _version(campaign: Campaign) -> str:
    return f"{version_of(campaign)}-{campaign.agreement_target}"
