"""Who may be given a campaign's samples: licences, decisions, settled calibration, and the gate's own row."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from annotation.models.campaign import Campaign
from annotation.models.sample import Sample
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers
from prometheus_site.core.models import SealedText


class Licence(AppendOnlyModel):
    """A clinician's licence as it was told, or as somebody of the team has found it in the register."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinician = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="licences")
    number = models.OneToOneField(SealedText, on_delete=models.PROTECT, related_name="+")
    jurisdiction = models.CharField(max_length=80)
    expires_on = models.DateField()  # the last day on which it holds, in its own time zone
    time_zone = models.CharField(max_length=64)
    ends_at = models.DateTimeField()  # the end of that day
    is_checked = models.BooleanField(default=False)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        indexes = [models.Index(fields=["clinician", "recorded_at"], name="licence_clinician")]

    def __str__(self) -> str:
        return f"licence of {self.clinician_id}"


class Outcome(models.TextChoices):
    CALIBRATE = "calibrate", "To calibrate"
    PROVISIONAL = "provisional", "Provisional"
    QUALIFIED = "qualified", "Qualified"
    REFUSED = "refused", "Refused"


class QualificationDecision(AppendOnlyModel):
    """Somebody decided on a person's part in a campaign, and why; the newest one holds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="qualification_decisions")
    clinician = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="qualification_decisions"
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    # Which reading of the calibration samples it asks for: 0 the first, then one more each time.
    reading = models.PositiveSmallIntegerField(default=0)
    because = models.OneToOneField(SealedText, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(db_default=Now())
    place = (
        models.PositiveIntegerField()
    )  # the how-manieth for this person: a clock set back changes no order

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "clinician", "place"], name="qualificationdecision_one_per_place"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="qualificationdecision_outcome_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clinician_id} {self.outcome} in {self.campaign_id}"


class AdmissionQuerySet(models.QuerySet["Admission"]):
    def in_force(self) -> "AdmissionQuerySet":
        """Return what opens the gate now: nothing waits for a signature, and the licence has not ended."""
        holds = Q(valid_until__isnull=True) | Q(valid_until__gt=timezone.now())
        return self.filter(holds, is_held=False)


class Admission(models.Model):
    """What the gate asks with every hand-out: worked out from decisions, signatures and licences.

    No row, nothing is handed out. It holds no fact of its own and can be made anew at any time.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="admissions")
    clinician = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="admissions"
    )
    covers_all = models.BooleanField()  # else the calibration samples only
    is_held = models.BooleanField()  # a document waits for the person's signature
    reading = models.PositiveSmallIntegerField(default=0)  # of the calibration samples, while they are asked
    valid_until = models.DateTimeField(null=True)  # the end of the licence

    objects: ClassVar[models.Manager["Admission"]] = AdmissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "clinician"], name="admission_one_per_person"),
            models.CheckConstraint(
                condition=Q(covers_all=False) | Q(valid_until__isnull=False),
                name="admission_to_all_ends_with_the_licence",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clinician_id} in {self.campaign_id}"


class CalibrationGold(AppendOnlyModel):
    """The answer to one question about one calibration sample as seniors settled it; the newest holds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="calibration_gold")
    dimension = models.CharField(max_length=60)
    answer = models.CharField(max_length=40, blank=True)  # empty: not to be answered for this text
    because = models.OneToOneField(SealedText, on_delete=models.PROTECT, related_name="+")
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(db_default=Now())
    place = models.PositiveIntegerField()

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(
                fields=["sample", "dimension", "place"], name="calibrationgold_one_per_place"
            )
        ]

    def __str__(self) -> str:
        return f"{self.dimension} of {self.sample_id}"
