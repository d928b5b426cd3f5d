"""What a sitting that begins has in store at most: texts estimated severe, by the plan and the own limits."""

from dataclasses import dataclass, replace
from math import ceil

from annotation.labelling.standing import Standing
from annotation.models import QUEUED_STATES, Assignment, Campaign
from annotation.wellbeing import policy
from annotation.wellbeing.exposure import care_of
from prometheus_site.accounts.models import User


@dataclass(frozen=True)
class Ahead:
    """How many samples fit into what is left of the day, and how many of them may be severe."""

    samples: int
    severe: int


def ahead_of(annotator: User, campaign: Campaign, standing: Standing) -> Ahead:
    """Return what lies ahead. What is skipped after a severe text comes later, so it is no more than this."""
    care = care_of(annotator, campaign.pk)
    pace = max(1.0, standing.seconds_per_label or campaign.expected_seconds_per_label)
    seconds_left = care.limits.minutes_per_day * 60 - care.exposure.seconds_today
    own = Assignment.objects.filter(campaign=campaign, annotator=annotator, state__in=QUEUED_STATES)
    queue = own.readable().admitted(annotator).order_by("position")
    fitting = queue.values_list("sample__is_estimated_severe", flat=True)[: max(1, ceil(seconds_left / pace))]
    are_severe = list(fitting)
    room = policy.severe_room(care.limits, replace(care.exposure, handed=0))
    return Ahead(len(are_severe), min(sum(are_severe), max(0, room)))
