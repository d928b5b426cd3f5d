"""All that is said of a dimension: what its agreement lacks, why, what would help, whom to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any, Generic, TypeVar

import numpy as np

from annotation.agreement import statistics
from annotation.agreement.alerts import Alert, AlertKind, alerts, not_tested
from annotation.agreement.causes import MIN_RATERS_FOR_A_REST, Cause, CauseKind, causes
from annotation.agreement.counts import FloatArray
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.disagreements import Material
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import (
    DEFAULT_RESAMPLING,
    MIN_OVERLAP_ITEMS,
    Estimate,
    Resampling,
    figures,
    only,
)
from annotation.agreement.needed import Ceiling, ceiling, labels_needed
from annotation.agreement.sample_size import Requirement
from annotation.agreement.shortfall import Contribution, Shortfall, shortfall, versions_of_items
from annotation.agreement.what_if import (
    FIRST_LABELS,
    Change,
    WhatIf,
    clarify_clauses,
    merge_codes,
    set_aside,
    set_aside_first,
)
from annotation.obstacles.evidence import Behind, CodePair, items_behind
from annotation.schemes.definition import Category, Dimension

MOST_RATERS = 20
"""With more, the tables of who disagrees with whom about what no longer fit in memory."""
MOST_GROUPS = 20
MOST_MERGES = 6
ANSWERS, CLINICIANS, CLAUSES = "answers", "clinicians", "clauses"
THEME, SOURCE, VERSION = "theme", "source", "guideline version"
NO_THEME, RARE_GROUPS = "not said", "the rarer ones together"
Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class Backed(Generic[Said]):
    """Something said, and how many samples are behind it."""

    said: Said
    behind: Behind
    n_samples: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of 1 - alpha, and what it is of."""

    of: Hashable
    contribution: Contribution


@dataclass(frozen=True, slots=True)
class Findings:
    """What there is to say of one dimension; `reason` says why there is nothing but alerts.

    `not_tested` are the alerts that could not be raised of everybody, with the reason. `ways` are the ways to
    take 1 - alpha apart; the parts of each add up to it. Raters are codes.
    """

    n_overlap_items: int
    n_raters: int
    alerts: tuple[Alert, ...] = ()
    not_tested: Mapping[AlertKind, str] = field(default_factory=dict)
    reason: str = ""
    alpha: Estimate | None = None
    shortfall: Shortfall | None = None
    ways: Mapping[str, tuple[Backed[Part], ...]] = field(default_factory=dict)
    causes: tuple[Backed[Cause], ...] = ()
    no_causes: str = ""
    what_ifs: tuple[Backed[WhatIf], ...] = ()
    needed: Requirement | None = None
    ceiling: Ceiling | None = None
    is_weighted: bool = False

    @property
    def is_collecting(self) -> bool:
        return self.n_overlap_items < MIN_OVERLAP_ITEMS


def findings_of(
    labels: DimensionLabels,
    dimension: Dimension,
    *,
    target: float,
    tail: float,
    resampling: Resampling,
    source_of: Mapping[Any, str],
) -> Findings:
    """Return what there is to say.

    `tail` is the error of the look that will decide; `source_of` names the source of an item, empty where all
    are of one.
    """
    n_overlap_items, n_raters = len(labels.overlap_items), len(labels.ratings.raters)
    in_words = replace(labels.ratings, categories=tuple(called(each) for each in dimension.categories))
    bare = Findings(
        n_overlap_items,
        n_raters,
        alerts(in_words, labels.scale, labels.course),
        not_tested(in_words, labels.scale, labels.course),
    )
    if n_overlap_items < MIN_OVERLAP_ITEMS:
        return replace(bare, reason=f"{n_overlap_items} of {MIN_OVERLAP_ITEMS} overlap samples so far.")
    if n_raters > MOST_RATERS:
        reason = f"{n_raters} clinicians labelled here; causes are sought among up to {MOST_RATERS}."
        return replace(bare, reason=reason)
    material = material_of(labels, dimension, source_of, resampling)
    if material.refusal:
        return replace(bare, reason=material.refusal)
    apart, ranked = shortfall(material, target), causes(material)
    at_the_look = replace(material, resampling=replace(resampling, tail=tail))
    backing = _Backing(material, labels.course.order)
    return replace(
        bare,
        alpha=_alpha(material),
        is_weighted=material.weights is not None,
        shortfall=apart,
        ways=_ways(apart, backing),
        causes=tuple(backing.of_cause(each) for each in ranked.ranked),
        no_causes=ranked.reason,
        what_ifs=tuple(backing.of_what_if(each) for each in _what_ifs(apart, backing)),
        needed=labels_needed(at_the_look, target),
        ceiling=ceiling(labels.course.repeats, labels.scale, target=target, resampling=resampling),
    )


def material_of(
    labels: DimensionLabels,
    dimension: Dimension,
    source_of: Mapping[Any, str],
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> Material:
    """Return the labels with what is known about them; a division into one group only is left out."""
    taken = np.flatnonzero(labels.has_overlap)
    divisions: dict[str, tuple[Hashable, ...]] = {
        THEME: _frequent([topic or NO_THEME for topic in labels.topics]),
        SOURCE: _frequent([source_of.get(item, "") for item in labels.ratings.items]),
        VERSION: versions_of_items(labels.versions_of_items),
    }
    return Material(
        labels.ratings,
        labels.scale,
        groupings={
            name: groups for name, groups in divisions.items() if len({groups[row] for row in taken}) > 1
        },
        clauses_of={each.code: each.clauses for each in dimension.categories if each.clauses},
        called={each.code: called(each) for each in dimension.categories},
        weights=labels.unequal_weights,
        resampling=resampling,
    )


def _alpha(material: Material) -> Estimate:
    """The figure that decides, with the interval that it has on every page."""
    counts = material.ratings.counts
    chosen = {"": statistics.alpha(material.scale, counts.categories)}
    return only(figures(counts, chosen, material.resampling, material.weights)[""])


def called(category: Category) -> str:
    """Return what an answer is called: a level by its number, and a name in quotes, as it may be long."""
    is_level = category.code.isdigit()
    return f"{category.code} {category.label}" if is_level else f"“{category.label}”"


def _frequent(groups: Sequence[str]) -> tuple[str, ...]:
    frequent = dict(Counter(groups).most_common(MOST_GROUPS))
    return tuple(group if group in frequent else RARE_GROUPS for group in groups)


class _Backing:
    """Finds the samples behind whatever is said."""

    def __init__(self, material: Material, order: FloatArray) -> None:
        self.material, self.order = material, order

    def of(self, said: Said, behind: Behind) -> Backed[Said]:
        return Backed(said, behind, len(items_behind(self.material, behind, self.order)))

    def of_cause(self, cause: Cause) -> Backed[Cause]:
        of = cause.of
        if cause.kind is CauseKind.SWAPPED_CODES:
            return self.of(cause, Behind(raters=of[:1], pairs=((of[1], of[2]),)))
        if cause.kind is CauseKind.CONFUSED_CODES:
            return self.of(cause, Behind(pairs=((of[0], of[1]),)))
        if cause.kind is CauseKind.GROUP:
            return self.of(cause, Behind(group=(str(of[0]), of[1])))
        return self.of(cause, Behind(raters=of))

    def of_what_if(self, what_if: WhatIf) -> Backed[WhatIf]:
        of = what_if.of
        if what_if.change is Change.MERGE:
            return self.of(what_if, Behind(pairs=((of[0], of[1]),)))
        if what_if.change is Change.CLARIFY:
            return self.of(what_if, Behind(clause=str(of[0])))
        if what_if.change is Change.WITHOUT_FIRST:
            return self.of(what_if, Behind(raters=of[:1], n_first=FIRST_LABELS))
        return self.of(what_if, Behind(raters=of[:1]))


def _ways(apart: Shortfall, backing: _Backing) -> dict[str, tuple[Backed[Part], ...]]:
    def parts(
        contributions: Mapping[Any, Contribution], behind: Callable[[Any], Behind]
    ) -> tuple[Backed[Part], ...]:
        return tuple(backing.of(Part(of, each), behind(of)) for of, each in contributions.items())

    by_rater = {rater: each.contribution for rater, each in apart.raters.items()}
    ways = {
        ANSWERS: parts(apart.category_pairs, lambda pair: Behind(pairs=(pair,))),
        CLINICIANS: parts(by_rater, lambda rater: Behind(raters=(rater,))),
        CLAUSES: parts(apart.clauses, lambda clause: Behind(clause=clause)),
    }
    for name, groups in apart.groups.items():
        ways[name] = parts(groups, partial(_of_group, name))
    return {name: found for name, found in ways.items() if found}


def _of_group(division: str, group: Hashable) -> Behind:
    return Behind(group=(division, group))


def _what_ifs(apart: Shortfall, backing: _Backing) -> list[WhatIf]:
    """The what-ifs that could be reckoned, the largest gain first."""
    material = backing.material
    found = merge_codes(material, _mergeable(apart.category_pairs, material))
    found += clarify_clauses(material)
    if len(material.ratings.raters) >= MIN_RATERS_FOR_A_REST:
        found += [*set_aside_first(material, backing.order), *set_aside(material)]
    known = [each for each in found if each.gain.value is not None]
    return sorted(known, key=lambda each: -(each.gain.value or 0))


def _mergeable(costliest_first: Iterable[CodePair], material: Material) -> Sequence[CodePair]:
    """The costliest pairs of answers that could be one: on an ordered scale only neighbours."""
    neighbours = set(pairwise(material.ratings.categories))
    is_named = material.scale is Scale.NOMINAL
    return [pair for pair in costliest_first if is_named or pair in neighbours][:MOST_MERGES]
