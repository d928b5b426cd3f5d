"""The samples behind whatever the page says."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from annotation.agreement.reading import read_campaign
from annotation.models import Campaign
from annotation.obstacles.addresses import Query, alert_of, behind_of
from annotation.obstacles.evidence import items_behind
from annotation.obstacles.findings import material_of
from annotation.obstacles.latest import latest
from annotation.obstacles.presenter import Reader
from annotation.obstacles.selectors import sources_of
from annotation.schemes.definition import Dimension


@dataclass(frozen=True)
class Samples:
    """The numbers of the samples behind something, the most telling first, and what that is in words."""

    numbers: Sequence[Hashable]
    words: str
    narrowing: Sequence[str]


def samples_behind(campaign: Campaign, dimension: Dimension, query: Query, reader: Reader) -> Samples:
    """Return the samples that the query of an address means. Raises UnknownSamplesError."""
    if "alert" in query:
        kept = latest(campaign, dimension)
        alert = alert_of(query, kept.findings.alerts if kept else ())
        if alert is None:
            return Samples((), "This alert no longer stands.", ())
        return Samples(alert.evidence.items, reader.words(alert.words), ())
    labels = read_campaign(campaign).dimensions[dimension.key]
    material = material_of(labels, dimension, sources_of(campaign))
    behind = behind_of(query, material)
    numbers = items_behind(material, behind, labels.course.order)
    return Samples(numbers, "Two answers to the same sample differ.", reader.behind(behind))
