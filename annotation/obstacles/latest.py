"""Ask for the latest findings: where they take long, the worker works them out."""

import time

from django.core.cache import cache

from annotation.agreement.reading import counting_labels
from annotation.models import Campaign
from annotation.obstacles.kept import KEPT_SECONDS, Kept, asked, kept_findings, name_of, work_out
from annotation.obstacles.selectors import headlines_of
from annotation.schemes.definition import Dimension
from annotation.tasks import work_out_findings
from prometheus_site.core.nudges import nudge

AT_ONCE_LABELS = 1000
"""So few are worked out by whoever asks, in about a second."""
PATIENCE_SECONDS = 30  # with the worker, which may be busy with an import or gone


def latest(campaign: Campaign, dimension: Dimension) -> Kept | None:
    """Return the latest findings there are; None while the worker has the first of them in hand."""
    kept = kept_findings(campaign, dimension)
    if kept is not None and kept.is_latest(campaign):
        return kept
    if _is_for_worker(campaign) and _worker_has_it(campaign, dimension):
        return kept
    return work_out(campaign, dimension)


def people_to_look_at(campaign: Campaign) -> int | None:
    """Return how many clinicians an alert names on any dimension; None while one was not worked out.

    Nobody waits for that: what is missing or old is left to the worker.
    """
    people: set[object] = set()
    is_whole = True
    for dimension in headlines_of(campaign):
        kept = kept_findings(campaign, dimension)
        if kept is None or not kept.is_latest(campaign):
            _worker_has_it(campaign, dimension)
        if kept is None:
            is_whole = False
        else:
            people |= {alert.rater for alert in kept.findings.alerts}
    return len(people) if is_whole else None


def _is_for_worker(campaign: Campaign) -> bool:
    return counting_labels(campaign)[AT_ONCE_LABELS : AT_ONCE_LABELS + 1].exists()


def _worker_has_it(campaign: Campaign, dimension: Dimension) -> bool:
    """Whether the worker was asked, now or a little while ago."""
    note = asked(name_of(campaign, dimension))
    if not cache.add(note, time.time(), KEPT_SECONDS):
        return time.time() - float(cache.get(note, 0.0)) < PATIENCE_SECONDS
    return nudge(work_out_findings, str(campaign.pk), dimension.key)
