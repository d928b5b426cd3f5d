"""Hours and pay: heartbeats of working pages, terms and rates, corrections, and statements as they closed."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.models.campaign import Campaign
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers
from prometheus_site.core.models import SealedText

DIGITS, CENTS = 12, 2


class Activity(models.TextChoices):
    """What a page is for whose time is counted."""

    LABELLING = "labelling", "Labelling"
    GUIDELINE = "guideline", "Reading the guideline"
    TRAINING = "training", "Training"
    CALIBRATION = "calibration", "Calibration"
    ADJUDICATION = "adjudication", "Adjudicating"


class PaidRole(models.TextChoices):
    """What a rate is paid for; an activity is paid as one of these."""

    ANNOTATOR = "annotator", "Annotator"
    ADJUDICATOR = "adjudicator", "Adjudicator"


class Heartbeat(AppendOnlyModel):
    """A working page said: active for so many seconds since it last said so. The stretch is the server's.

    It ends when the server heard of it and begins no earlier than the person's last one ended: stretches of
    one person never overlap, whatever the tabs claim.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="heartbeats")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="heartbeats")
    key = models.UUIDField()
    activity = models.CharField(max_length=12, choices=Activity.choices)
    paid_as = models.CharField(max_length=12, choices=PaidRole.choices)
    claimed_seconds = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="heartbeat_one_per_key"),
            models.CheckConstraint(
                condition=Q(activity__in=Activity.values), name="heartbeat_activity_is_known"
            ),
            models.CheckConstraint(
                condition=Q(paid_as__in=PaidRole.values), name="heartbeat_paid_as_is_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("started_at")), name="heartbeat_ends_after_start"
            ),
        ]
        indexes = [models.Index(fields=["person", "ended_at"], name="heartbeat_person_ended")]

    def __str__(self) -> str:
        return f"{self.activity} of {self.person_id} until {self.ended_at:%Y-%m-%d %H:%M:%S}"


class PayTerms(AppendOnlyModel):
    """What holds for all pay of a campaign from now on; the newest row is in force."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="pay_terms")
    time_zone = models.CharField(max_length=64)  # where its days and months begin
    currency = models.CharField(max_length=3)
    floor_per_hour = models.DecimalField(
        max_digits=DIGITS, decimal_places=CENTS
    )  # what nobody's real hour should fall below
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [models.CheckConstraint(condition=Q(floor_per_hour__gt=0), name="payterms_floor_range")]

    def __str__(self) -> str:
        return f"terms of {self.campaign_id}"


class PayRate(AppendOnlyModel):
    """What an hour is paid from a day on; of two for the same day the newer one holds."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="pay_rates")
    role = models.CharField(max_length=12, choices=PaidRole.choices)
    per_hour = models.DecimalField(max_digits=DIGITS, decimal_places=CENTS)
    valid_from = models.DateField()  # a day of the campaign's time zone
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.CheckConstraint(condition=Q(role__in=PaidRole.values), name="payrate_role_is_known"),
            models.CheckConstraint(condition=Q(per_hour__gt=0), name="payrate_per_hour_range"),
        ]

    def __str__(self) -> str:
        return f"{self.per_hour} an hour as {self.role} from {self.valid_from}"


class PayCorrection(AppendOnlyModel):
    """An amount added to or taken off a person's pay, for a reason; it stands in the month it was made in."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="pay_corrections")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="pay_corrections"
    )
    key = models.UUIDField(unique=True)
    amount = models.DecimalField(max_digits=DIGITS, decimal_places=CENTS)
    reason = models.OneToOneField(SealedText, on_delete=models.PROTECT, related_name="+")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="paycorrection_says_something")]
        indexes = [models.Index(fields=["campaign", "made_at"], name="paycorrection_campaign_made")]

    def __str__(self) -> str:
        return f"{self.amount} for {self.person_id}"


class PayStatement(AppendOnlyModel):
    """A person's month as it was closed. What is found later stands in a later month as a correction."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="pay_statements")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="pay_statements"
    )
    month = models.DateField()  # its first day
    lines = models.JSONField()  # role, rate, microseconds and amount of each
    corrected_by = models.DecimalField(max_digits=DIGITS, decimal_places=CENTS)
    amount = models.DecimalField(max_digits=DIGITS, decimal_places=CENTS)
    currency = models.CharField(max_length=3)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["campaign", "person", "month"], name="paystatement_one_per_month")
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} of {self.person_id}"
