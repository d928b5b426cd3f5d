"""Checkpoints: the looks declared beforehand at which the target is decided, and what each look said."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models.campaign import Campaign
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class LookDeclaration(AppendOnlyModel):
    """Somebody declared the looks to come: at what, on which figures, and how much was known at that moment.

    A later declaration replaces the looks that have no report yet, never one that has.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="look_declarations")
    number = models.PositiveIntegerField()
    declared_at = models.DateTimeField(db_default=Now())
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    because = models.CharField(max_length=60)
    target = models.DecimalField(max_digits=3, decimal_places=2)
    deciding = models.JSONField()  # [{"dimension", "title", "statistic", "scale"}, ...]
    n_planned = models.PositiveIntegerField()  # overlap items of the dimension with the fewest
    n_complete = models.PositiveIntegerField()  # of the slowest dimension when it was declared

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="lookdeclaration_one_per_number"),
            models.CheckConstraint(
                condition=Q(target__gt=0, target__lt=1), name="lookdeclaration_target_range"
            ),
        ]

    def __str__(self) -> str:
        return f"declaration {self.number} of {self.campaign_id}"


class DeclaredLook(AppendOnlyModel):
    """One look: after how many overlap items of every deciding dimension, with what error on each side."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    declaration = models.ForeignKey(LookDeclaration, on_delete=models.PROTECT, related_name="looks")
    n_overlap_items = models.PositiveIntegerField()
    error_per_side = models.FloatField()
    is_end = models.BooleanField()

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(
                fields=["declaration", "n_overlap_items"], name="declaredlook_one_per_size"
            ),
            models.UniqueConstraint(
                fields=["declaration"], condition=Q(is_end=True), name="declaredlook_one_end"
            ),
            models.CheckConstraint(
                condition=Q(error_per_side__gt=0, error_per_side__lte=0.025), name="declaredlook_error_range"
            ),
        ]

    def __str__(self) -> str:
        return f"look at {self.n_overlap_items}"


class EndRequest(AppendOnlyModel):
    """A lead asked for the look at the end of a campaign that ended short of its plan."""

    look = models.OneToOneField(DeclaredLook, on_delete=models.PROTECT, related_name="end_request")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"end asked for by {self.requested_by_id}"


class CheckpointReport(AppendOnlyModel):
    """What one look said, frozen. ``document`` is the text whose digest is signed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="checkpoint_reports")
    look = models.OneToOneField(DeclaredLook, on_delete=models.PROTECT, related_name="report")
    number = models.PositiveIntegerField()
    frozen_at = models.DateTimeField()
    document = models.TextField()  # canonical JSON: figures, codes, counts and digests, no therapy text
    digest = models.CharField(max_length=64)

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="checkpointreport_one_per_number")
        ]

    def __str__(self) -> str:
        return f"checkpoint {self.number} of {self.campaign_id}"


class ReportSignature(AppendOnlyModel):
    """The installation's signature of a report; who computes the report does not hold the key."""

    report = models.OneToOneField(CheckpointReport, on_delete=models.PROTECT, related_name="signed")
    signature = models.CharField(max_length=128)  # Ed25519 over the digest, hexadecimal
    public_key = models.TextField()  # of the key that signed; the pages cannot read the key itself
    signed_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"signature of {self.report_id}"
