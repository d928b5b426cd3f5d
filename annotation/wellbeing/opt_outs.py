"""Topics a clinician does not want to read: what that takes out of the plan, and which there are."""

import uuid
from collections.abc import Collection

from django.db.models import F, QuerySet

from annotation.models import Campaign, Sample, TopicOptOut
from prometheus_site.accounts.models import User


def barred_by_topic(campaign: Campaign, people: Collection[uuid.UUID]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Return (sample, person) for every sample on a topic that the person does not want to read."""
    live = TopicOptOut.objects.filter(user__in=people, ended_at__isnull=True)
    barred: set[tuple[uuid.UUID, uuid.UUID]] = set()
    for person, topic in live.values_list("user_id", "topic"):
        samples = campaign.samples.filter(conversation__topic=topic).values_list("pk", flat=True)
        barred |= {(sample, person) for sample in samples}
    return barred


def live_opt_outs(user: User) -> QuerySet[TopicOptOut]:
    """Return the person's own opt-outs that hold now."""
    return TopicOptOut.objects.filter(user=user, ended_at__isnull=True).order_by("topic")


def topics_for(user: User) -> list[str]:
    """Return the topics of the samples in the person's campaigns, but for those opted out of already."""
    campaigns = Campaign.objects.visible_to(user)
    topics = Sample.objects.filter(campaign__in=campaigns).exclude(conversation__topic="")
    named = topics.values_list(F("conversation__topic"), flat=True).distinct().order_by("conversation__topic")
    own = set(live_opt_outs(user).values_list("topic", flat=True))
    return [topic for topic in named if topic not in own]
