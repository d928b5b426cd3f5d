"""Topics a clinician does not want to read: what that takes out of the plan, and which there are."""

import uuid
from collections import defaultdict
from collections.abc import Collection

from django.db.models import QuerySet

from annotation.models import Campaign, Sample, TopicOptOut
from prometheus_site.accounts.models import User


def folded(topic: str) -> str:
    """Return the topic as it is compared: one name, whatever the case, spaces and underscores of a source."""
    return " ".join(topic.replace("_", " ").split()).casefold()


def barred_by_topic(campaign: Campaign, people: Collection[uuid.UUID]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Return (sample, person) for every sample on a topic that the person does not want to read."""
    live = TopicOptOut.objects.filter(user__in=people, ended_at__isnull=True)
    unwanted: dict[str, set[uuid.UUID]] = defaultdict(set)
    for person, topic in live.values_list("user_id", "topic"):
        unwanted[folded(topic)].add(person)
    if not unwanted:
        return set()
    samples = campaign.samples.exclude(conversation__topic="").values_list("pk", "conversation__topic")
    return {(sample, person) for sample, topic in samples for person in unwanted.get(folded(topic), ())}


def live_opt_outs(user: User) -> QuerySet[TopicOptOut]:
    """Return the person's own opt-outs that hold now."""
    return TopicOptOut.objects.filter(user=user, ended_at__isnull=True).order_by("topic")


def topics_for(user: User) -> list[str]:
    """Return the topics of the samples in the person's campaigns, each once, but for those opted out of."""
    campaigns = Campaign.objects.visible_to(user)
    topics = Sample.objects.filter(campaign__in=campaigns).exclude(conversation__topic="")
    named = topics.values_list("conversation__topic", flat=True).distinct().order_by("conversation__topic")
    taken = {folded(topic) for topic in live_opt_outs(user).values_list("topic", flat=True)}
    found: dict[str, str] = {}
    for topic in named:
        found.setdefault(folded(topic), topic)
    return [topic for key, topic in found.items() if key not in taken]
