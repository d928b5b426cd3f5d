"""The content of a report: what the look found, and everything it rests on, as one JSON document."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from django.db.models import Count

from annotation.agreement.checkpoints import RESAMPLES_AT_A_LOOK
from annotation.agreement.reading import SEED, LeftOut, Reading, left_out_of
from annotation.checkpoints.figures import (
    PROJECT_DIMENSIONS,
    Json,
    measured,
    standing_of,
    verdict_of_target,
)
from annotation.checkpoints.labels import LookLabels, labels_at
from annotation.checkpoints.methods import methods_of, notices_of
from annotation.checkpoints.report_file import FORMAT
from annotation.checkpoints.selectors import Reached, content_of, questions_of
from annotation.models import (
    Campaign,
    CheckpointReport,
    DeclaredLook,
    Label,
    LookDeclaration,
)
from prometheus_site import __version__
from prometheus_site.audit.models import Anchor, ChainEntry

PACKAGES = ("numpy", "krippendorff", "statsmodels", "scipy", "pandas")


@dataclass(frozen=True)
class Look:
    """A look that was reached, and the reports of the looks before it."""

    campaign: Campaign
    declared: DeclaredLook
    reached: Reached
    number: int
    earlier: Sequence[CheckpointReport]


def document_of(look: Look, reading: Reading, frozen_at: datetime) -> Json:
    """Return the whole report of a look."""
    campaign, declaration = look.campaign, look.declared.declaration
    cut = _cut(look, reading)
    target = float(declaration.target)
    dimensions = [
        measured(
            question,
            cut[question.key],
            error_per_side=look.declared.error_per_side,
            target=target,
            seed=SEED,
        )
        for question in questions_of(campaign)
    ]
    _add_standing(dimensions, look.earlier)
    left_out = left_out_of(campaign)
    report: Json = {
        "format": FORMAT,
        "is_rehearsal": campaign.is_simulated,
        "campaign": {"name": campaign.name, "slug": campaign.slug, "id": str(campaign.pk)},
        "number": look.number,
        "look": _look(look),
        "declaration": _declaration(declaration),
        "frozen_at": _moment(frozen_at),
        "target": _target(target, dimensions),
        "dimensions": dimensions,
        "exclusions": _exclusions(left_out),
        "n_passes": left_out.passes,
        "guideline_versions": sorted(set().union(*(found["guideline_versions"] for found in dimensions))),
        "design": _design(campaign, cut.values()),
        "scheme": _scheme(campaign),
        "resampling": {"resamples": RESAMPLES_AT_A_LOOK, "seed": SEED},
        "record": record_of(campaign),
        "software": {
            "prometheus": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
    }
    return report | {"notices": notices_of(report), "methods": methods_of(report)}


def _exclusions(left_out: LeftOut) -> dict[str, int]:
    """Return how many labels no figure takes, by the reason, when the report is made."""
    return {
        "overlap labels not locked yet": left_out.not_locked,
        "labels undone before they locked": left_out.undone,
        "corrections": left_out.corrections,
        "training labels": left_out.training,
        "calibration labels": left_out.calibration,
        "silent repeats": left_out.repeats,
    }


def record_of(campaign: Campaign) -> Json:
    """Return where the chain of each person who labelled stands, and the newest anchor over all chains."""
    people = Label.objects.filter(campaign=campaign).order_by().values("annotator").distinct()
    heads = (
        ChainEntry.objects.filter(chain__in=people)
        .order_by("chain_id", "-sequence")
        .distinct("chain_id")
        .values_list("chain__code", "sequence", "entry_hash")
    )
    anchor = Anchor.objects.order_by("-sequence").first()
    return {
        "chain_heads": [
            {"rater": code, "link": sequence, "hash": head} for code, sequence, head in sorted(heads)
        ],
        "anchor": anchor and {"sequence": anchor.sequence, "hash": anchor.anchor_hash},
    }


def _cut(look: Look, reading: Reading) -> dict[str, LookLabels]:
    """Return the labels of the look by dimension: its first items, or all at the end."""
    n_items = None if look.declared.is_end else look.declared.n_overlap_items
    until = look.reached.moment.timestamp()
    return {key: labels_at(labels, until, n_items) for key, labels in reading.dimensions.items()}


def _add_standing(dimensions: Sequence[Json], earlier: Iterable[CheckpointReport]) -> None:
    """Add to each dimension what every look so far said of it, and what stands."""
    before = [
        {found["dimension"]: found["verdict"] for found in content_of(report)["dimensions"]}
        for report in earlier
    ]
    for found in dimensions:
        said = [verdicts[found["dimension"]] for verdicts in before if found["dimension"] in verdicts]
        found["verdicts"] = [*said, found["verdict"]]
        found["standing"] = standing_of(found["verdicts"])


def _target(target: float, dimensions: Sequence[Json]) -> Json:
    return {
        "value": target,
        "is_project_target": {found["dimension"] for found in dimensions} == PROJECT_DIMENSIONS,
        "verdict": verdict_of_target({found["title"]: found["standing"] for found in dimensions}),
    }


def _look(look: Look) -> Json:
    declared = look.declared
    return {
        "n_overlap_items": declared.n_overlap_items,
        "is_end": declared.is_end,
        "is_short": look.reached.is_short,
        "error_per_side": declared.error_per_side,
        "interval_percent": round(100 * (1 - 2 * declared.error_per_side), 4),
        "reached_at": _moment(look.reached.moment),
    }


def _declaration(declaration: LookDeclaration) -> Json:
    looks = declaration.looks.order_by("n_overlap_items")
    return {
        "number": declaration.number,
        "declared_at": _moment(declaration.declared_at),
        "because": declaration.because,
        "n_planned": declaration.n_planned,
        "n_complete": declaration.n_complete,
        "deciding": declaration.deciding,
        "looks": list(looks.values("n_overlap_items", "error_per_side", "is_end")),
    }


def _design(campaign: Campaign, cut: Iterable[LookLabels]) -> Json:
    found = list(cut)
    roles = campaign.samples.exclude(design_role="").order_by().values_list("design_role")
    plan = campaign.plan_revisions.order_by("-number").first()
    return {
        "plan_revision": plan.number if plan else None,
        "seed": campaign.seed,
        "samples_by_purpose": dict(roles.annotate(n=Count("pk"))),
        "labels_per_sample": campaign.labels_per_sample,
        "single_label_percent": campaign.single_label_percent,
        "repeat_percent": campaign.repeat_percent,
        "raters": sorted({str(rater) for labels in found for rater in labels.ratings.raters}),
        "has_equal_weights": all(labels.has_equal_weights for labels in found),
    }


def _scheme(campaign: Campaign) -> Json:
    scheme = campaign.scheme
    return {
        "key": scheme.key,
        "version": scheme.version,
        "title": scheme.title,
        "sha256": scheme.digest,
    }


def _moment(at: datetime) -> str:
    return at.isoformat()
