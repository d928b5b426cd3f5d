"""From the labels in the database to agreement figures: which labels enter, and what is left out and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.db.models import Count, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from annotation.agreement.counts import tally_labels
from annotation.agreement.distances import Scale
from annotation.agreement.statistics import MIN_OVERLAP_ITEMS, Estimate, Status, krippendorff_alpha
from annotation.models import Campaign, Label, Sample
from annotation.models.label import LabelQuerySet
from annotation.schemes.definition import Dimension, Grouping, Scheme

SEED = 1
"""Fixed, so that an interval moves only when a label does."""

Answer = tuple[int, str, str, str]
"""Number of the sample, code of the annotator, answer, conversation."""


@dataclass(frozen=True)
class Agreement:
    """One headline dimension: alpha, the answers behind it, and coarser readings of the same labels."""

    dimension: Dimension
    estimate: Estimate
    answer_counts: Mapping[str, int]
    guideline_versions: tuple[str, ...]
    items_wanted: ClassVar[int] = MIN_OVERLAP_ITEMS
    groupings: tuple[tuple[Grouping, Estimate], ...]

    @property
    def status(self) -> str:
        """``collecting`` under 50 overlap items, whatever else is known; then the estimate's own status."""
        is_collecting = self.estimate.n_items_overlap < self.items_wanted
        return Status.COLLECTING.value if is_collecting else self.estimate.status.value

    @property
    def is_shown(self) -> bool:
        """Whether there is a number to show."""
        return self.status == Status.OK.value


def counting_labels(campaign: Campaign) -> LabelQuerySet:
    """Return the blind first labels of planned overlap in this campaign."""
    labels: LabelQuerySet = Label.objects.counting_for_agreement().filter(campaign=campaign)
    return labels


def eligible_labels(campaign: Campaign, dimension: Dimension) -> LabelQuerySet:
    """Return the counting labels that answer this dimension on its declared scale; ``answer`` is the code."""
    answered = counting_labels(campaign).annotate(answer=KeyTextTransform(dimension.key, "answers"))
    on_scale: LabelQuerySet = answered.filter(answer__in=dimension.codes)
    return on_scale


def not_eligible_labels(campaign: Campaign, dimension: Dimension) -> LabelQuerySet:
    """Return the counting labels for which this dimension did not apply."""
    return counting_labels(campaign).exclude(pk__in=eligible_labels(campaign, dimension).values("pk"))


def overlap_items(campaign: Campaign, dimension: Dimension) -> QuerySet[Sample]:
    """Return the samples with two eligible labels or more: the items of the figure."""
    several = _labels_per_sample(campaign, dimension).filter(n__gte=2)
    return Sample.objects.filter(campaign=campaign, pk__in=several.values("sample"))


def single_label_samples(campaign: Campaign, dimension: Dimension) -> QuerySet[Sample]:
    """Return the samples with one eligible label: nobody to agree with yet."""
    lone = _labels_per_sample(campaign, dimension).filter(n=1)
    return Sample.objects.filter(campaign=campaign, pk__in=lone.values("sample"))


def agreement_labels(campaign: Campaign, dimension: Dimension) -> LabelQuerySet:
    """Return the eligible labels of overlap items: exactly what the statistic is computed from."""
    return eligible_labels(campaign, dimension).filter(sample__in=overlap_items(campaign, dimension))


def _labels_per_sample(campaign: Campaign, dimension: Dimension) -> LabelQuerySet:
    per_sample: LabelQuerySet = eligible_labels(campaign, dimension).values("sample").annotate(n=Count("pk"))
    return per_sample


def agreement_of(campaign: Campaign, scheme: Scheme) -> list[Agreement]:
    """Return the agreement on each headline dimension, in the scheme's order."""
    return [
        _agreement(campaign, scheme, dimension) for dimension in scheme.dimensions if dimension.is_headline
    ]


def _agreement(campaign: Campaign, scheme: Scheme, dimension: Dimension) -> Agreement:
    conversation = Cast("sample__conversation_id", TextField())  # ten thousand UUID objects are slow to make
    # The order decides which resample is drawn, so it is part of what makes the interval repeatable.
    rows = list(
        agreement_labels(campaign, dimension)
        .order_by("sample__number", "annotator__code")
        .values_list("sample__number", "annotator__code", "answer", conversation, "guideline__version")
    )
    answers: list[Answer] = [row[:4] for row in rows]
    coarser = [grouping for grouping in scheme.groupings if grouping.dimension == dimension.key]
    return Agreement(
        dimension=dimension,
        estimate=_alpha(answers, dimension.codes, Scale(dimension.scale)),
        answer_counts=Counter(code for _, _, code, _ in answers),
        guideline_versions=tuple(sorted({version for *_, version in rows})),
        groupings=tuple((grouping, _grouped_alpha(answers, grouping)) for grouping in coarser),
    )


def _grouped_alpha(answers: Sequence[Answer], grouping: Grouping) -> Estimate:
    grouped = [(item, rater, grouping.members[code], cluster) for item, rater, code, cluster in answers]
    return _alpha(grouped, list(dict.fromkeys(grouping.members.values())), Scale.NOMINAL)


def _alpha(answers: Sequence[Answer], categories: Sequence[str], scale: Scale) -> Estimate:
    counts = tally_labels(
        ((item, rater, code) for item, rater, code, _ in answers),
        categories,
        cluster_of={item: conversation for item, _, _, conversation in answers},
    )
    return krippendorff_alpha(counts, scale, seed=SEED)
