"""Read what stands between a campaign's dimensions and the target."""

from collections.abc import Mapping
from typing import Any

from annotation.agreement.bootstrap import TAIL_SHARE
from annotation.agreement.estimates import Resampling
from annotation.agreement.looks import looks_of, open_looks
from annotation.agreement.reading import SEED, read_campaign
from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign, Sample
from annotation.obstacles.findings import Findings, called, findings_of
from annotation.obstacles.presenter import Reader
from annotation.schemes.definition import Dimension
from annotation.schemes.shipped import clauses
from datasets_app.models import Source


def headlines_of(campaign: Campaign) -> list[Dimension]:
    """Return the dimensions whose agreement is the target, in the scheme's order."""
    return [dimension for dimension in scheme_of(campaign).dimensions if dimension.is_headline]


def findings_in(campaign: Campaign, dimension: Dimension) -> Findings:
    """Return everything there is to say of the dimension now."""
    looks = looks_of(campaign)
    return findings_of(
        read_campaign(campaign).dimensions[dimension.key],
        dimension,
        target=float(campaign.agreement_target),
        tail=looks[-1].tail if looks else TAIL_SHARE,
        resampling=Resampling(seed=SEED),
        source_of=sources_of(campaign),
    )


def next_look_of(campaign: Campaign) -> int | None:
    """Return the overlap items of the declared look that comes next; None where none is to come."""
    return min((look.n_overlap_items for look in open_looks(campaign)), default=None)


def sources_of(campaign: Campaign) -> Mapping[Any, str]:
    """Return the source of each sample by its number; empty where all samples are of one."""
    if Source.objects.filter(conversations__samples__campaign=campaign).distinct().count() < 2:
        return {}
    return dict(Sample.objects.filter(campaign=campaign).values_list("number", "conversation__source__name"))


def reader_of(campaign: Campaign, dimension: Dimension, names: Mapping[str, str]) -> Reader:
    """Return how people, clauses and answers are called for somebody who knows these names."""
    return Reader(
        dimension.key,
        names,
        {clause.code: clause.title for clause in clauses(campaign.guideline.body)},
        {category.code: called(category) for category in dimension.categories},
    )
