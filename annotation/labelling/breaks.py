"""When a page made by the server speaks of a break: after a save or pass, and once in a stretch of work."""

from datetime import datetime, timedelta

from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.utils import timezone

from annotation.labelling.standing import Standing

BETWEEN_SAMPLES = "between-samples"  # tags the message that a sample is done: the next one has just come
TOLD_AT = "break_told_at"


def is_break_due(request: HttpRequest, standing: Standing) -> bool:
    """Whether the person is to hear of a break now; what was told is not told again for as long."""
    if standing.sitting_started_at is None or not _is_between_samples(request):
        return False
    told_at = request.session.get(TOLD_AT)
    since = standing.sitting_started_at
    if told_at is not None:
        since = max(since, datetime.fromisoformat(told_at))
    now = timezone.now()
    if now - since < timedelta(seconds=standing.break_after_seconds):
        return False
    request.session[TOLD_AT] = now.isoformat()
    return True


def _is_between_samples(request: HttpRequest) -> bool:
    return any(BETWEEN_SAMPLES in (message.extra_tags or "") for message in get_messages(request))
