"""What a clinician sets and says for the own care; nobody else can."""

import uuid
from collections.abc import Mapping

import orjson
from django.db import transaction
from django.utils import timezone

from annotation.assignment import queue
from annotation.assignment.planning import PEOPLE_CHANGED, revise_plan
from annotation.models import Campaign, CampaignState, CareLimits, CheckIn, TopicOptOut
from annotation.wellbeing.opt_outs import folded, live_opt_outs
from prometheus_site.accounts.models import User
from prometheus_site.core import sealing


def set_limits(*, user: User, limits: Mapping[str, object]) -> CareLimits:
    """Set the person's own limits, by the names of the fields; they hold from the next sample on."""
    stored, _ = CareLimits.objects.update_or_create(
        user=user, defaults={**limits, "updated_at": timezone.now()}
    )
    return stored


def opt_out(*, user: User, topic: str) -> None:
    """Give the person nothing more on this topic; what waits goes to others. Asked twice, it holds once."""
    with transaction.atomic():
        live = live_opt_outs(user).values_list("topic", flat=True)
        if folded(topic) not in map(folded, live):
            TopicOptOut.objects.bulk_create([TopicOptOut(user=user, topic=topic)], ignore_conflicts=True)
        _plan_anew(user)


def opt_in(*, user: User, opt_out_id: uuid.UUID) -> bool:
    """Let the topic come again; False when there is no such opt-out of this person now."""
    with transaction.atomic():
        live = TopicOptOut.objects.filter(pk=opt_out_id, user=user, ended_at__isnull=True)
        has_ended = live.update(ended_at=timezone.now()) == 1
        if has_ended:
            _plan_anew(user)
        return has_ended


def check_in(*, user: User, answers: Mapping[str, object]) -> CheckIn:
    """Keep how the person is, sealed under the person's own key."""
    with transaction.atomic():
        sealed = sealing.seal(orjson.dumps(dict(answers)).decode(), f"clinician:{user.pk}")
        made: CheckIn = CheckIn.objects.create(user=user, answers=sealed)
        return made


def _plan_anew(user: User) -> None:
    for campaign in Campaign.objects.visible_to(user).filter(state=CampaignState.OPEN).order_by("pk"):
        queue.give_back(campaign=campaign, annotator=user)  # what was fetched ahead can still be taken away
        revise_plan(campaign=campaign, because=PEOPLE_CHANGED)
