"""Silent repeats: a sample the clinician labelled long enough ago comes back among the others."""

import random

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotation.assignment.planning import AMONG_THE_NEXT, POSITION_STEP
from annotation.models import Assignment, AssignmentState, CampaignState

WOKEN_AT_ONCE = 2000

# The days count from the first label as it locked; one undone and given again counts from the later.
SET_DUE = """
UPDATE annotation_assignment AS repeat
SET rests_until = label.created_at + make_interval(days => campaign.repeat_after_days)
FROM annotation_assignment AS first
JOIN annotation_label AS label ON label.assignment_id = first.id AND label.reason_id IS NULL
JOIN annotation_labellock AS lock ON lock.label_id = label.id
JOIN annotation_campaign AS campaign ON campaign.id = first.campaign_id
WHERE repeat.state = 'resting' AND repeat.rests_until IS NULL
  AND first.sample_id = repeat.sample_id AND first.annotator_id = repeat.annotator_id
  AND first.repeat_number = 0 AND campaign.state = 'open'
"""


def wake_repeats() -> int:
    """Put the repeats that are due into their queues; return how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SET_DUE)
    due = Assignment.objects.filter(
        state=AssignmentState.RESTING,
        rests_until__lte=timezone.now(),
        campaign__state=CampaignState.OPEN,
    )
    return sum(_wake(repeat) for repeat in due.order_by("rests_until")[:WOKEN_AT_ONCE])


def _wake(repeat: Assignment) -> bool:
    """Give the repeat a free place among the next samples; False when another took the place just now."""
    chooser = random.Random()  # noqa: S311  where it comes back is no secret, only unexpected
    queue = Assignment.objects.filter(
        campaign=repeat.campaign_id, annotator=repeat.annotator_id, state=AssignmentState.WAITING
    )
    nearest = list(queue.order_by("position").values_list("position", flat=True)[:AMONG_THE_NEXT])
    before = chooser.choice(nearest) if nearest else repeat.position
    awake = Assignment.objects.filter(pk=repeat.pk, state=AssignmentState.RESTING)
    try:
        with transaction.atomic():
            place = before + chooser.randrange(1, POSITION_STEP)
            return bool(awake.update(state=AssignmentState.WAITING, position=place))
    except IntegrityError:  # the place is taken: the next sweep draws another
        return False
