"""The page's figures as of the latest labels: computed once, for everybody who asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.utils import timezone

from annotation.agreement.reading import SEED, Reading, read_campaign, version_of
from annotation.agreement_page.course import CoursePoint
from annotation.agreement_page.dimension_figures import Design, Detail, Headline, detail_of, headline_of
from annotation.checkpoints.selectors import classes_from
from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign
from annotation.schemes.definition import Dimension

LAYOUT = (
    4  # raised with every change of what is kept: a new version of the site reads nothing of an older one
)
KEPT_SECONDS = 24 * 3600
COMPUTING_SECONDS = 60  # after so long, whoever computes has died

Read = Callable[[Campaign], Reading]


@dataclass(frozen=True)
class Figures:
    """The figures of one version of the labels: every dimension in short, one in full."""

    version: str
    computed_at: datetime
    headlines: Mapping[str, Headline]
    detail: Detail | None


def figures_of(campaign: Campaign, dimension: Dimension, read: Read = read_campaign) -> Figures:
    """Return the figures of the labels as they are now; while somebody else computes them, those before."""
    name = f"agreement-{LAYOUT}-{campaign.pk}-{dimension.key}"
    known: Figures | None = cache.get(name)
    version = version_now(campaign)
    if known is not None and known.version == version:
        return known
    is_alone = cache.add(f"{name}-computing", True, COMPUTING_SECONDS)
    if known is not None and not is_alone:
        return known
    try:
        course = known.detail.course if known is not None and known.detail is not None else ()
        computed = _computed(campaign, dimension, version, read, course)
        cache.set(name, computed, KEPT_SECONDS)
        return computed
    finally:
        if is_alone:
            cache.delete(f"{name}-computing")


def version_now(campaign: Campaign) -> str:
    """Return what changes whenever a figure can have changed."""
    n_reports = campaign.checkpoint_reports.count()
    return f"{version_of(campaign)}-{campaign.state}-{campaign.agreement_target}-{n_reports}"


def _computed(
    campaign: Campaign, dimension: Dimension, version: str, read: Read, course: Sequence[CoursePoint]
) -> Figures:
    computed_at = timezone.now()
    reading, scheme = read(campaign), scheme_of(campaign)
    designs = {
        key: Design(
            at_least=tuple(classes_from(scheme.dimension(key))),
            groupings={each.title: each.members for each in scheme.groupings if each.dimension == key},
        )
        for key in reading.dimensions
    }
    return Figures(
        version=version,
        computed_at=computed_at,
        headlines={
            key: headline_of(labels, designs[key], seed=SEED) for key, labels in reading.dimensions.items()
        },
        detail=detail_of(reading.dimensions[dimension.key], designs[dimension.key], seed=SEED, known=course),
    )
