"""Care for the clinicians: what they allow, what they have read, and what they say in private."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models.assignment import Assignment
from annotation.models.sample import Sample
from annotation.wellbeing import policy
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers
from prometheus_site.core.models import SealedText


class CareLimits(models.Model):
    """The limits one clinician has set: never above those of the site. Shown to nobody else."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="care_limits"
    )
    minutes_per_day = models.PositiveSmallIntegerField(default=policy.MINUTES_PER_DAY)
    severe_per_day = models.PositiveSmallIntegerField(default=policy.SEVERE_PER_DAY)
    severe_per_sitting = models.PositiveSmallIntegerField(default=policy.SEVERE_PER_SITTING)
    break_after_minutes = models.PositiveSmallIntegerField(default=policy.BREAK_AFTER_MINUTES)
    time_zone = models.CharField(max_length=64, default="UTC")  # when the clinician's day begins
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    minutes_per_day__gte=policy.SHORTEST_DAY_MINUTES,
                    minutes_per_day__lte=policy.MINUTES_PER_DAY,
                ),
                name="carelimits_minutes_range",
            ),
            models.CheckConstraint(
                condition=Q(severe_per_day__lte=policy.SEVERE_PER_DAY), name="carelimits_day_range"
            ),
            models.CheckConstraint(
                condition=Q(severe_per_sitting__lte=policy.SEVERE_PER_SITTING),
                name="carelimits_sitting_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    break_after_minutes__gte=policy.SHORTEST_STRETCH_MINUTES,
                    break_after_minutes__lte=policy.BREAK_AFTER_MINUTES,
                ),
                name="carelimits_break_range",
            ),
        ]

    def __str__(self) -> str:
        return f"care limits of {self.user_id}"


class ExposureCause(models.TextChoices):
    OPENED = "opened", "A text estimated severe was opened"
    JUDGED = "judged", "Its reader judged it severe, or more severe than announced"


class Exposure(AppendOnlyModel):
    """A severe text was read: of the reader's own queue, or by a senior who settles or answers.

    The dose of a text is the sum of its rows.
    """

    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, null=True, related_name="exposures", db_index=False
    )
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, null=True, related_name="reviews")
    cause = models.CharField(max_length=6, choices=ExposureCause.choices)
    dose = models.PositiveSmallIntegerField()
    read_at = models.DateTimeField()

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["assignment", "cause"], name="exposure_one_per_cause"),
            models.CheckConstraint(
                condition=Q(assignment__isnull=False, sample__isnull=True)
                | Q(assignment__isnull=True, sample__isnull=False),
                name="exposure_of_one_text",
            ),
            models.CheckConstraint(
                condition=Q(cause__in=ExposureCause.values), name="exposure_cause_is_known"
            ),
            models.CheckConstraint(condition=Q(dose__gte=1, dose__lte=2), name="exposure_dose_range"),
        ]
        indexes = [models.Index(fields=["annotator", "read_at"], name="exposure_annotator_read")]

    def __str__(self) -> str:
        return f"exposure of {self.annotator_id}"


class TopicOptOut(models.Model):
    """A topic that a clinician does not want to read. It touches neither figures of quality nor pay."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="opt_outs")
    topic = models.CharField(max_length=200)
    since = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "topic"],
                condition=Q(ended_at__isnull=True),
                name="topicoptout_one_live_per_topic",
            ),
            models.CheckConstraint(condition=~Q(topic=""), name="topicoptout_names_a_topic"),
        ]

    def __str__(self) -> str:
        return f"opt-out of {self.user_id}"


class CheckIn(AppendOnlyModel):
    """How a clinician is, in the clinician's own words and for the clinician alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="check_ins")
    answers = models.OneToOneField(SealedText, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        indexes = [models.Index(fields=["user", "given_at"], name="checkin_user_given")]

    def __str__(self) -> str:
        return f"check-in of {self.user_id}"


class SupportContacts(models.Model):
    """Where to find support, in one language, as a lead wrote it: one contact a line."""

    language = models.CharField(max_length=12, primary_key=True)  # such as "en" or "en-gb"
    lines = models.TextField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "support contacts"
        constraints = [
            models.CheckConstraint(
                condition=Q(language__regex=r"^[a-z]{2,3}(-[a-z0-9]{2,8})?$"),
                name="supportcontacts_language_is_one",
            ),
            models.CheckConstraint(condition=~Q(lines=""), name="supportcontacts_holds_some"),
        ]

    def __str__(self) -> str:
        return f"support contacts in {self.language}"
