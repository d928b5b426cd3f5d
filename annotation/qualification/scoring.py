"""Hold one person's calibration answers against the settled ones, per dimension, with an interval. Pure."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from annotation.agreement.counts import tally_labels
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Estimate
from annotation.agreement.statistics import MIN_OVERLAP_ITEMS, krippendorff_alpha, percent_agreement
from annotation.schemes.definition import Dimension

SEED = 1  # fixed, so that an interval moves only when an answer does
GOLD, PERSON = "gold", "person"


class Reading(StrEnum):
    """How a score stands to the threshold: by its interval, not by its value."""

    ABOVE = "met"
    BELOW = "not_met"
    UNDECIDED = "undecided"
    COLLECTING = "collecting"
    NOT_ESTIMABLE = "not_estimable"


@dataclass(frozen=True)
class Score:
    """Agreement with the settled answers to one question, beside the plain share of the same answers."""

    dimension: Dimension
    alpha: Estimate
    same: Estimate
    reading: Reading


def score(
    dimension: Dimension,
    given: Mapping[Any, str],
    gold: Mapping[Any, str],
    clusters: Mapping[Any, Hashable],
    threshold: float,
) -> Score:
    """Return how far the answers agree with the gold, by sample; what only one side has does not count.

    ``clusters`` names each sample's conversation, as windows of one are resampled together.
    """
    both = [item for item in gold if item in given]
    triples = [(item, who, side[item]) for who, side in ((GOLD, gold), (PERSON, given)) for item in both]
    counts = tally_labels(triples, dimension.codes, cluster_of=clusters)
    alpha = krippendorff_alpha(counts, Scale(dimension.scale), seed=SEED)
    return Score(dimension, alpha, percent_agreement(counts, seed=SEED), _reading(alpha, threshold))


def _reading(alpha: Estimate, threshold: float) -> Reading:
    if alpha.n_items_overlap < MIN_OVERLAP_ITEMS:
        return Reading.COLLECTING
    if alpha.value is None:
        return Reading.NOT_ESTIMABLE
    # Without an interval every resample gave this very value: all answers were the settled ones.
    low, high = (alpha.value if bound is None else bound for bound in (alpha.ci_low, alpha.ci_high))
    if low >= threshold:
        return Reading.ABOVE
    return Reading.BELOW if high < threshold else Reading.UNDECIDED
