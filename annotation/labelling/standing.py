"""How far a clinician has come, at which pace, and how long today: one question to the database."""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from annotation.assignment.sittings import UNDOABLE_LABELS
from annotation.models import Campaign
from annotation.wellbeing.exposure import SECONDS_TODAY
from annotation.wellbeing.policy import BREAK_AFTER_MINUTES
from prometheus_site.accounts.models import User
from prometheus_site.core import prepared

PACE_LABELS = 50  # the pace is the median of so many latest labels
PACE_NEEDS_LABELS = 10

# Numbers in their places, not parameters: a kept plan would not know how few rows are wanted.
STANDING = f"""
WITH mine AS (
    SELECT coalesce(max(break_after_minutes), {BREAK_AFTER_MINUTES}) AS break_after_minutes,
           date_trunc('day', %(now)s::timestamptz, coalesce(max(time_zone), 'UTC')) AS midnight
    FROM annotation_carelimits WHERE user_id = %(annotator)s
)
SELECT
    (SELECT count(*) FROM annotation_assignment
     WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s AND state = 'labelled'),
    (SELECT count(*) FROM annotation_assignment AS slot
     WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s AND state IN ('waiting', 'leased')),
    {SECONDS_TODAY},
    (SELECT started_at FROM annotation_sitting
     WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s AND ended_at IS NULL),
    (SELECT count(*) FROM (
        SELECT label.id FROM annotation_label AS label
        WHERE label.annotator_id = %(annotator)s AND label.campaign_id = %(campaign)s
        ORDER BY label.created_at DESC LIMIT {2 * UNDOABLE_LABELS}) AS recent
     JOIN annotation_label AS label USING (id)
     WHERE label.reason_id IS NULL
       AND NOT EXISTS (SELECT 1 FROM annotation_labellock AS lock WHERE lock.label_id = recent.id)
       AND NOT EXISTS (SELECT 1 FROM annotation_labelundo AS undo WHERE undo.label_id = recent.id))
    + (SELECT count(*) FROM annotation_assignment AS slot
       JOIN annotation_pass AS passed ON passed.assignment_id = slot.id AND passed.taken_back_at IS NULL
       JOIN annotation_sitting AS sitting ON sitting.campaign_id = slot.campaign_id
            AND sitting.annotator_id = slot.annotator_id AND sitting.ended_at IS NULL
       WHERE slot.campaign_id = %(campaign)s AND slot.annotator_id = %(annotator)s AND slot.state = 'passed'
         AND passed.created_at >= sitting.started_at),
    (SELECT array_agg(active_seconds) FROM (
        SELECT active_seconds FROM annotation_label
        WHERE annotator_id = %(annotator)s AND campaign_id = %(campaign)s
        ORDER BY created_at DESC LIMIT {PACE_LABELS}) AS recent
     WHERE active_seconds IS NOT NULL),
    mine.break_after_minutes
FROM mine
"""  # noqa: S608


@dataclass(frozen=True)
class Standing:
    """A person's own figures in a campaign; times in seconds. Never shown to anybody else."""

    labelled: int
    waiting: int
    undoable: int
    seconds_today: int
    sitting_started_at: datetime | None
    seconds_per_label: float | None
    break_after_seconds: int

    @property
    def break_after_minutes(self) -> int:
        return self.break_after_seconds // 60

    @property
    def planned(self) -> int:
        return self.labelled + self.waiting

    @property
    def seconds_left(self) -> int | None:
        """How long the rest takes at the person's own pace; None while the pace is not known."""
        return None if self.seconds_per_label is None else round(self.waiting * self.seconds_per_label)

    def as_json(self) -> dict[str, Any]:
        """Return the figures for the page's script."""
        return asdict(self) | {"seconds_left": self.seconds_left}


def standing_of(user: User, campaign: Campaign) -> Standing:
    """Return the person's figures: what was labelled and waits, today's time, the own pace."""
    named: dict[str, uuid.UUID | datetime | int] = {
        "campaign": campaign.pk,
        "annotator": user.pk,
        "now": timezone.now(),
    }
    row = prepared.one_row(STANDING, named)
    assert row is not None, "an aggregate has one row"  # noqa: S101  for the type checker
    labelled, waiting, today, started, undoable, paces, break_after_minutes = row
    return Standing(
        labelled=labelled,
        waiting=waiting,
        undoable=min(undoable, UNDOABLE_LABELS),
        seconds_today=today,
        sitting_started_at=started,
        seconds_per_label=_median(paces or []),
        break_after_seconds=60 * break_after_minutes,
    )


def _median(seconds: list[int]) -> float | None:
    if len(seconds) < PACE_NEEDS_LABELS:
        return None
    ordered, half = sorted(seconds), len(seconds) // 2
    return float(ordered[half]) if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
