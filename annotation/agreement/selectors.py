"""The agreement of a campaign in short, and the labels and samples behind it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from annotation.agreement.chosen_items import Choice, chosen_items
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.estimates import MIN_OVERLAP_ITEMS, Estimate, Status
from annotation.agreement.reading import SEED, counting_labels, read_campaign
from annotation.agreement.statistics import krippendorff_alpha
from annotation.models import Campaign, Sample
from annotation.models.label import LabelQuerySet
from annotation.schemes.definition import Dimension, Scheme
from datasets_app.models import Conversation
from prometheus_site.accounts.models import User


@dataclass(frozen=True)
class Agreement:
    """The figure that decides on one headline dimension."""

    dimension: Dimension
    estimate: Estimate
    items_wanted: ClassVar[int] = MIN_OVERLAP_ITEMS

    @property
    def status(self) -> str:
        """``collecting`` under 50 overlap items, whatever else is known; then the estimate's own status."""
        is_collecting = self.estimate.n_items_overlap < self.items_wanted
        return Status.COLLECTING.value if is_collecting else self.estimate.status.value

    @property
    def is_shown(self) -> bool:
        """Whether there is a number to show."""
        return self.status == Status.OK.value


def agreement_of(campaign: Campaign, scheme: Scheme) -> list[Agreement]:
    """Return the agreement on each headline dimension, in the scheme's order."""
    return [
        Agreement(
            scheme.dimension(key),
            krippendorff_alpha(
                labels.ratings.counts, labels.scale, seed=SEED, weights=labels.unequal_weights
            ),
        )
        for key, labels in read_campaign(campaign).dimensions.items()
    ]


def labels_of(campaign: Campaign, dimension: Dimension) -> DimensionLabels:
    """Return the labels of a headline dimension. Raises KeyError for another."""
    return read_campaign(campaign).dimensions[dimension.key]


def overlap_items(campaign: Campaign, dimension: Dimension, **chosen: Any) -> QuerySet[Sample]:
    """Return the samples with two eligible labels or more, the items of the figure, or some: see `Choice`."""
    return _samples(campaign, chosen_items(labels_of(campaign, dimension), Choice(**chosen)))


def single_label_samples(campaign: Campaign, dimension: Dimension) -> QuerySet[Sample]:
    """Return the samples with one eligible label: nobody to agree with yet."""
    return _samples(campaign, labels_of(campaign, dimension).single_label_items)


def repeated_items(campaign: Campaign, dimension: Dimension, person: str = "") -> QuerySet[Sample]:
    """Return the samples that this person, or anybody, answered a second time unannounced."""
    repeats = labels_of(campaign, dimension).course.repeats
    shown = [both for rater, both in repeats.items() if person in ("", rater)]
    return _samples(campaign, {item for both in shown for item in both.items})


def conversations(campaign: Campaign, dimension: Dimension) -> QuerySet[Conversation]:
    """Return the conversations of the overlap items."""
    items = overlap_items(campaign, dimension).values_list("conversation", flat=True)
    return Conversation.objects.filter(pk__in=set(items))


def raters(campaign: Campaign, dimension: Dimension) -> QuerySet[User]:
    """Return who labelled an overlap item."""
    return User.objects.filter(code__in=labels_of(campaign, dimension).overlap_raters)


def agreement_labels(campaign: Campaign, dimension: Dimension) -> LabelQuerySet:
    """Return the eligible labels of overlap items: exactly what the statistic is computed from."""
    items = labels_of(campaign, dimension).overlap_items
    return eligible_labels(campaign, dimension).filter(sample__number__in=items)


def eligible_labels(campaign: Campaign, dimension: Dimension) -> LabelQuerySet:
    """Return the counting labels that answer this dimension on its declared scale; ``answer`` is the code."""
    return _answered(campaign, dimension).filter(answer__in=dimension.codes)


def not_eligible_labels(campaign: Campaign, dimension: Dimension) -> LabelQuerySet:
    """Return the counting labels for which this dimension did not apply."""
    is_eligible = Q(answer__in=dimension.codes)
    return _answered(campaign, dimension).filter(Q(answer__isnull=True) | ~is_eligible)


def _answered(campaign: Campaign, dimension: Dimension) -> LabelQuerySet:
    answered: LabelQuerySet = counting_labels(campaign).annotate(
        answer=KeyTextTransform(dimension.key, "answers")
    )
    return answered


def _samples(campaign: Campaign, numbers: Collection[Any]) -> QuerySet[Sample]:
    return Sample.objects.filter(campaign=campaign, number__in=numbers)
