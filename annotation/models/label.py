"""Labels: what a clinician said, once, under which guideline, for ever."""

import uuid
from typing import TYPE_CHECKING, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from annotation.models.assignment import Assignment, Purpose
from annotation.models.campaign import Campaign
from annotation.models.sample import Sample
from annotation.models.scheme import GuidelineVersion, SchemeVersion
from annotation.models.sitting import Sitting
from prometheus_site.core.append_only import (
    AppendOnlyModel,
    AppendOnlyQuerySet,
    append_only_triggers,
)
from prometheus_site.core.models import SealedText

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


class LabelQuerySet(AppendOnlyQuerySet):
    def own(self, user: "User") -> "LabelQuerySet":
        """Return the labels this person gave, in campaigns the person takes part in now."""
        return self.filter(
            annotator=user, campaign__members__user=user, campaign__members__left_at__isnull=True
        )

    def current(self) -> "LabelQuerySet":
        """Return what stands now: labels neither undone nor withdrawn, and that no correction supersedes."""
        newer = self.model._default_manager.filter(supersedes=OuterRef("pk"))
        return self.filter(~Exists(newer), undo__isnull=True).in_use()

    def in_use(self) -> "LabelQuerySet":
        """Leave out labels whose maker took back the consent to use them."""
        return self.filter(withdrawn__isnull=True)

    def first_given(self) -> "LabelQuerySet":
        """Return labels as first given: what was undone or withdrawn and corrections left out."""
        return self.filter(reason__isnull=True, undo__isnull=True).in_use()

    def locked(self) -> "LabelQuerySet":
        """Return labels as they stood when they locked: no undo after that, and no correction among them."""
        return self.filter(reason__isnull=True, lock__isnull=False).in_use()

    def counting_for_agreement(self) -> "LabelQuerySet":
        """Return blind labels of planned overlap as they locked: all that an agreement figure may use."""
        return self.locked().filter(assignment__purpose__in=[Purpose.OVERLAP, Purpose.ANCHOR])


class LabelUndo(AppendOnlyModel):
    """A clinician took a label back before it locked; the sample was on the clinician's screen again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.OneToOneField("Label", on_delete=models.PROTECT, related_name="undo")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"undo of {self.label_id}"


class Label(AppendOnlyModel):
    """One clinician's answers to one sample.

    Nothing is written over. A label undone before it locked is followed by a new one that names the undo; a
    later correction is a new label that supersedes the old one, for a reason.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of its own where one below begins with the column: a plan might read everything by it.
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="labels", db_index=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="labels")
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="labels")
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="labels", db_index=False
    )
    scheme = models.ForeignKey(SchemeVersion, on_delete=models.PROTECT, related_name="+")
    guideline = models.ForeignKey(GuidelineVersion, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField()
    note = models.OneToOneField(SealedText, on_delete=models.PROTECT, null=True, related_name="+")
    active_seconds = models.PositiveIntegerField(null=True)
    sitting = models.ForeignKey(Sitting, on_delete=models.PROTECT, null=True, related_name="labels")
    lease_id = models.UUIDField(null=True)
    screen_order = models.PositiveIntegerField(null=True)
    shown_at = models.DateTimeField(null=True)
    is_simulated = models.BooleanField(default=False)
    idempotency_key = models.UUIDField()
    request_digest = models.CharField(max_length=64)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="superseded_by"
    )
    # Set when the superseded label had been undone: the pair of both says so in the database.
    replaces_undone = models.OneToOneField(
        LabelUndo, on_delete=models.PROTECT, null=True, related_name="replacement"
    )
    reason = models.OneToOneField(SealedText, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects: ClassVar[LabelQuerySet] = LabelQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        triggers = [
            *append_only_triggers(),
            # The kind of the campaign is a foreign key; this is the kind of who answers.
            pgtrigger.Trigger(
                name="program_says_so",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__is_simulated=False),
                func=(
                    "IF EXISTS (SELECT 1 FROM accounts_user WHERE id = NEW.annotator_id AND is_simulated) "
                    "THEN RAISE EXCEPTION 'a program''s label does not count as a clinician''s' "
                    "USING ERRCODE = 'check_violation'; END IF; RETURN NEW;"
                ),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["annotator", "idempotency_key"], name="label_one_per_key"),
            models.UniqueConstraint(
                fields=["assignment"],
                condition=Q(supersedes__isnull=True),
                name="label_one_first_per_assignment",
            ),
            models.CheckConstraint(
                condition=Q(supersedes__isnull=True, reason__isnull=True, replaces_undone__isnull=True)
                | Q(supersedes__isnull=False, reason__isnull=False, replaces_undone__isnull=True)
                | Q(supersedes__isnull=False, reason__isnull=True, replaces_undone__isnull=False),
                name="label_supersedes_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "created_at"], name="label_campaign_created"),
            # With the time, so that a day's work is summed up from the index alone.
            models.Index(
                fields=["annotator", "created_at"], include=["active_seconds"], name="label_annotator_day"
            ),
        ]

    def __str__(self) -> str:
        return f"label {self.id}"


class LockCause(models.TextChoices):
    LEFT_LAST_TEN = "left_last_ten", "Ten labels followed"
    SITTING_ENDED = "sitting_ended", "The sitting ended"
    CORRECTED = "corrected", "It was corrected"


class LabelLock(AppendOnlyModel):
    """From this moment a label is its maker's blind judgement: it cannot be undone, only corrected."""

    label = models.OneToOneField(Label, on_delete=models.PROTECT, primary_key=True, related_name="lock")
    locked_at = models.DateTimeField(db_default=Now())
    cause = models.CharField(max_length=14, choices=LockCause.choices)

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.CheckConstraint(condition=Q(cause__in=LockCause.values), name="labellock_cause_is_known")
        ]

    def __str__(self) -> str:
        return f"lock of {self.label_id}"
