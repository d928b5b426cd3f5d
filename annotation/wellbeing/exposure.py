"""Read what a clinician has read, and write down what is read: severe texts by dose, over all campaigns."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q, Sum
from django.utils import timezone

from annotation import models
from annotation.pay.spans import ESTIMATE
from annotation.schemes import severity
from annotation.schemes.definition import Scheme
from annotation.wellbeing import policy
from prometheus_site.accounts.models import User
from prometheus_site.core import prepared

# Seconds at work since midnight, in any campaign: what pages told by heartbeat, or what labels say where they
# were made elsewhere; and an estimate of each label that nobody timed, as without JavaScript.
SECONDS_TODAY = f"""(
    greatest(
        (SELECT coalesce(sum(extract(epoch FROM ended_at - greatest(started_at, mine.midnight))), 0)
         FROM annotation_heartbeat WHERE person_id = %(annotator)s
          AND ended_at >= mine.midnight AND ended_at < mine.midnight + interval '2 days'),
        (SELECT coalesce(sum(active_seconds), 0) FROM annotation_label WHERE annotator_id = %(annotator)s
          AND created_at >= mine.midnight AND created_at < mine.midnight + interval '2 days'))
    + (SELECT coalesce(sum(least(extract(epoch FROM label.created_at - slot.first_shown_at),
                                 {ESTIMATE.total_seconds():.0f})), 0)
       FROM annotation_label AS label JOIN annotation_assignment AS slot ON slot.id = label.assignment_id
       WHERE label.annotator_id = %(annotator)s AND label.active_seconds IS NULL
         AND slot.first_shown_at IS NOT NULL
         AND label.created_at >= mine.midnight AND label.created_at < mine.midnight + interval '2 days')
)::integer"""  # noqa: S608  nothing in it comes from outside
# Asked with every save. A day begins at the clinician's own midnight. A sitting that ended a moment ago goes
# on in the next one, and so on: leaving and coming back is no rest, however often. Every stretch has two
# ends: one with a beginning only, unknown to PostgreSQL when it plans, it takes for a third of the table.
STANDING = f"""
WITH mine AS (
    SELECT coalesce(max(minutes_per_day), %(minutes)s) AS minutes_per_day,
           coalesce(max(severe_per_day), %(of_day)s) AS severe_per_day,
           coalesce(max(severe_per_sitting), %(of_sitting)s) AS severe_per_sitting,
           date_trunc('day', %(now)s::timestamptz, coalesce(max(time_zone), 'UTC')) AS midnight
    FROM annotation_carelimits WHERE user_id = %(annotator)s
), sitting AS (
    SELECT CASE WHEN bool_or(ended_at IS NULL OR ended_at > %(rested_before)s)
                THEN max(started_at) FILTER (
                    WHERE seen_before IS NULL
                       OR started_at - seen_before >= %(now)s::timestamptz - %(rested_before)s::timestamptz)
                ELSE %(now)s::timestamptz END AS since
    FROM (
        SELECT started_at, ended_at,
               max(coalesce(ended_at, %(now)s::timestamptz)) OVER (
                   ORDER BY started_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS seen_before
        FROM annotation_sitting
        WHERE annotator_id = %(annotator)s AND started_at > %(now)s::timestamptz - interval '1 day'
    ) AS of_last_day
)
SELECT mine.minutes_per_day, mine.severe_per_day, mine.severe_per_sitting, mine.midnight,
       {SECONDS_TODAY},
       (SELECT coalesce(sum(dose), 0) FROM annotation_exposure
        WHERE annotator_id = %(annotator)s
          AND read_at >= mine.midnight AND read_at < mine.midnight + interval '2 days'),
       (SELECT coalesce(sum(dose), 0) FROM annotation_exposure
        WHERE annotator_id = %(annotator)s
          AND read_at >= sitting.since AND read_at < sitting.since + interval '2 days'),
       (SELECT count(*) FROM annotation_assignment AS slot
        JOIN annotation_sample AS sample ON sample.id = slot.sample_id
        WHERE slot.campaign_id = %(campaign)s AND slot.annotator_id = %(annotator)s AND slot.state = 'leased'
          AND sample.is_estimated_severe AND slot.opened_at IS NULL)
FROM mine, sitting
"""  # noqa: S608  nothing in it comes from outside
# The severe text that this person opened last before now, of any campaign or as a senior, if nothing else was
# read since, and when.
SEVERE_JUST_READ = """
SELECT severe.read_at
FROM (
    SELECT mine.opened_at AS read_at
    FROM annotation_assignment AS mine
    JOIN annotation_sample AS read ON read.id = mine.sample_id AND read.is_estimated_severe
    WHERE mine.annotator_id = %(annotator)s AND mine.opened_at > %(rested_before)s AND mine.id <> %(slot)s
    UNION ALL
    SELECT review.read_at FROM annotation_exposure AS review
    WHERE review.annotator_id = %(annotator)s AND review.read_at > %(rested_before)s
      AND review.sample_id IS NOT NULL
) AS severe
WHERE (
      SELECT TRUE FROM annotation_assignment AS other
      JOIN annotation_sample AS sample ON sample.id = other.sample_id
      WHERE other.annotator_id = %(annotator)s AND NOT sample.is_estimated_severe
        AND other.first_shown_at >= severe.read_at AND other.id <> %(slot)s
      LIMIT 1) IS NULL  -- a question of its own for each, so that nothing is read where there is none
ORDER BY severe.read_at DESC LIMIT 1
"""
NO_SLOT = uuid.UUID(int=0)  # for who asks about a text that is not of the own queue
NO_CAMPAIGN = uuid.UUID(int=0)  # for who asks without one: then nothing is handed out
# A program reads without harm, unless somebody sets limits to see what they would do.
WITHOUT_END = 32_767


@dataclass(frozen=True)
class Care:
    """A clinician's limits and exposure at this moment, and when the day began for the clinician."""

    limits: policy.Limits
    exposure: policy.Exposure
    day_began_at: datetime

    @property
    def day_ends_at(self) -> datetime:
        """The clinician's next midnight; where the clock changes that night, within an hour of it."""
        return self.day_began_at + timedelta(days=1)

    @property
    def stop(self) -> policy.Stop | None:
        """What stops the clinician now."""
        return policy.stop_of(self.limits, self.exposure)

    @property
    def has_room_to_open(self) -> bool:
        """Whether one of the severe texts that lie ready may be opened."""
        return policy.severe_room(self.limits, replace(self.exposure, handed=0)) > 0

    @property
    def severe_room(self) -> int:
        """How many more severe texts may be handed out."""
        return policy.severe_room(self.limits, self.exposure)


def care_of(annotator: User, campaign_id: uuid.UUID) -> Care:
    """Return the clinician's limits and what was read so far; handed severe texts are this campaign's."""
    now = timezone.now()
    limits = policy.Limits()
    if annotator.is_simulated:
        limits = policy.Limits(WITHOUT_END, WITHOUT_END, WITHOUT_END)
    named: dict[str, uuid.UUID | datetime | int] = {
        "annotator": annotator.pk,
        "campaign": campaign_id,
        "now": now,
        "rested_before": now - timedelta(minutes=policy.REST_AFTER_SEVERE_MINUTES),
        "minutes": limits.minutes_per_day,
        "of_day": limits.severe_per_day,
        "of_sitting": limits.severe_per_sitting,
    }
    row = prepared.one_row(STANDING, named)
    assert row is not None, "an aggregate has one row"  # noqa: S101  for the type checker
    minutes, of_day, of_sitting, midnight, *read = row
    return Care(policy.Limits(minutes, of_day, of_sitting), policy.Exposure(*read), midnight)


def doses_in(campaign: models.Campaign) -> dict[str, int]:
    """Return the dose of severe texts that each person has read in the campaign, by code."""
    read_here = Q(assignment__campaign=campaign) | Q(sample__campaign=campaign)
    rows = models.Exposure.objects.filter(read_here)
    return dict(rows.values_list("annotator__code").annotate(dose=Sum("dose")))


def severe_just_read_at(annotator: User, slot_id: uuid.UUID = NO_SLOT) -> datetime | None:
    """Return when the person opened the severe text that was read last before this one, without a rest."""
    rested_before = timezone.now() - timedelta(minutes=policy.REST_AFTER_SEVERE_MINUTES)
    named = {"annotator": annotator.pk, "slot": slot_id, "rested_before": rested_before}
    row = prepared.one_row(SEVERE_JUST_READ, named)
    return row[0] if row else None


def note_opened(annotator: User, assignment_id: uuid.UUID) -> None:
    """Write down, once, that the person opened a text estimated severe."""
    _note(annotator, assignment_id, models.ExposureCause.OPENED, policy.dose_of(is_estimated_severe=True))


def note_judged(
    annotator: User, assignment_id: uuid.UUID, scheme: Scheme, answers: Mapping[str, object]
) -> None:
    """Write down, once, that a text was worse than announced: by what its reader answered."""
    level = severity.crisis_level(scheme, answers)
    if level is None or level < severity.SEVERE_FROM:
        return
    dose = policy.dose_of(
        is_estimated_severe=False, is_severe=True, is_act_now=level >= severity.ACT_NOW_FROM
    )
    noted = models.Exposure.objects.filter(assignment=assignment_id).aggregate(dose=Sum("dose"))["dose"] or 0
    if dose > noted:
        _note(annotator, assignment_id, models.ExposureCause.JUDGED, dose - noted)


def _note(annotator: User, assignment_id: uuid.UUID, cause: models.ExposureCause, dose: int) -> None:
    row = models.Exposure(
        annotator=annotator, assignment_id=assignment_id, cause=cause, dose=dose, read_at=timezone.now()
    )
    models.Exposure.objects.bulk_create([row], ignore_conflicts=True)
