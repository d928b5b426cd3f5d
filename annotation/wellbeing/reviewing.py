"""Severe texts that seniors open to settle or to answer: within the same limits as those who label."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from annotation.assignment import sittings
from annotation.labelling.services import RestFirstError
from annotation.models import Exposure, ExposureCause, Sample
from annotation.wellbeing import exposure
from annotation.wellbeing.policy import REST_AFTER_SEVERE_MINUTES
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

STAYS_OPEN_MINUTES = 30  # a page that comes back with an error in its form is no second reading


def is_open_to(reader: User, sample: Sample) -> bool:
    """Whether the reader has opened this severe text a moment ago."""
    since = timezone.now() - timedelta(minutes=STAYS_OPEN_MINUTES)
    return Exposure.objects.filter(annotator=reader, sample=sample, read_at__gte=since).exists()


def open_for_review(*, reader: User, sample: Sample, dose: int = 1) -> None:
    """Note that a senior opened a severe text that is not a sample of the senior's own queue.

    Raises RestFirstError where another severe text was read just now, or the reader's limits are reached.
    """
    with transaction.atomic():
        sittings.touch(campaign_id=sample.campaign_id, annotator=reader)  # two tabs take turns
        if is_open_to(reader, sample):
            return
        care = exposure.care_of(reader, sample.campaign_id)
        if care.stop is not None:
            raise RestFirstError(
                "You have read as many severe texts, or worked as long, as your limits allow. The text waits."
            )
        if exposure.severe_just_read_at(reader):
            raise RestFirstError(
                "The last text you read was severe, too. Take a pause of "
                f"{REST_AFTER_SEVERE_MINUTES} minutes, or do something else first; the text waits."
            )
        Exposure.objects.create(
            annotator=reader,
            sample=sample,
            cause=ExposureCause.OPENED,
            dose=dose,
            read_at=timezone.now(),
        )
        record_access(actor=reader, action=Action.VIEWED, obj_type="sample", obj_id=str(sample.pk))
