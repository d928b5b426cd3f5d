"""The design of a campaign as its lead declares it, and what changed from one plan to the next."""

from collections.abc import Mapping
from copy import copy
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from annotation.models import Campaign

_NAMES = {
    "training": "training samples",
    "calibration": "calibration samples",
    "anchors": "anchor samples",
    "labels_per_sample": "labels per sample",
    "single_label_percent": "percent with one label",
    "repeat_percent": "percent repeated",
    "due_on": "due date",
}


@dataclass(frozen=True)
class Declared:
    """What a lead declares; the names are those of the campaign's own fields."""

    training_samples: int
    calibration_samples: int
    anchor_samples: int
    labels_per_sample: int
    single_label_percent: float
    repeat_percent: float
    repeat_after_days: int
    due_on: date | None
    expected_seconds_per_label: int

    def put_into(self, campaign: Campaign) -> None:
        """Set the campaign's fields; the caller saves it, or not."""
        for name, value in asdict(self).items():
            setattr(campaign, name, value)


DECLARED_FIELDS = tuple(field.name for field in fields(Declared))


def declared_of(campaign: Campaign) -> Declared:
    """Return the design that stands."""
    return Declared(**{name: getattr(campaign, name) for name in DECLARED_FIELDS})


def with_design(campaign: Campaign, declared: Declared) -> Campaign:
    """Return a copy of the campaign with this design, not to be saved."""
    changed = copy(campaign)
    declared.put_into(changed)
    return changed


def changes_in_words(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    hours_before: Mapping[str, float],
    hours: Mapping[str, float],
) -> list[str]:
    """Say what differs between two plans: the design's numbers, and whose hours count."""
    words = [
        f"{name}: {_shown(before.get(key))} → {_shown(after.get(key))}"
        for key, name in _NAMES.items()
        if before.get(key) != after.get(key)
    ]
    words += [f"{code} came" for code in sorted(hours.keys() - hours_before.keys())]
    words += [f"{code} left or paused" for code in sorted(hours_before.keys() - hours.keys())]
    words += [
        f"{code}: {_shown(hours_before[code])} → {_shown(hours[code])} hours a week"
        for code in sorted(hours.keys() & hours_before.keys())
        if hours[code] != hours_before[code]
    ]
    return words


def _shown(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
