"""Assignments: the stored plan of who labels what, in which order, and where each slot stands."""

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Cast, Now

from annotation.models.campaign import Campaign
from annotation.models.qualification import Admission
from annotation.models.sample import Sample
from prometheus_site.audit.models import AccessEvent

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


class Purpose(models.TextChoices):
    """Why the slot exists; only OVERLAP and ANCHOR labels count for agreement."""

    TRAINING = "training", "Training"
    CALIBRATION = "calibration", "Calibration"
    ANCHOR = "anchor", "Anchor"
    OVERLAP = "overlap", "Overlap"
    REPEAT = "repeat", "Silent repeat"


class AssignmentState(models.TextChoices):
    RESTING = "resting", "Not due yet"
    WAITING = "waiting", "Waiting"
    LEASED = "leased", "Handed out"
    LABELLED = "labelled", "Labelled"
    PASSED = "passed", "Passed"
    WITHDRAWN = "withdrawn", "Withdrawn"


OPEN_STATES = (AssignmentState.RESTING, AssignmentState.WAITING, AssignmentState.LEASED)
DONE_STATES = (AssignmentState.LABELLED, AssignmentState.PASSED)
QUEUED_STATES = (AssignmentState.WAITING, AssignmentState.LEASED)


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def visible_to(self, user: "User") -> "AssignmentQuerySet":
        """Return the person's own assignments in campaigns the person takes part in now."""
        return self.filter(
            annotator=user, campaign__members__user=user, campaign__members__left_at__isnull=True
        )

    def admitted(self, user: "User") -> "AssignmentQuerySet":
        """Leave out what the gate keeps from this person now."""
        admission = Admission.objects.in_force().filter(campaign=OuterRef("campaign"), clinician=user)
        return self.filter(
            Q(campaign__requires_qualification=False)
            | Exists(admission.filter(covers_all=True))
            | Q(Exists(admission), purpose=Purpose.CALIBRATION)
        )

    def readable_by(self, user: "User") -> "AssignmentQuerySet":
        """Return what the person may read: what the gate lets through now, and what was read before."""
        sent = AccessEvent.objects.filter(
            object_type="sample", object_id=Cast(OuterRef("sample"), models.CharField()), actor=user
        )
        return self.filter(Q(pk__in=self.admitted(user).values("pk")) | Exists(sent))

    def readable(self) -> "AssignmentQuerySet":
        """Leave out samples whose source was withdrawn: their text is gone."""
        return self.filter(sample__conversation__source__withdrawn_at__isnull=True)


class Assignment(models.Model):
    """One slot: this clinician labels this sample, at this place in the clinician's queue."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of its own where a constraint below begins with the column: given the choice, a plan made
    # before there are statistics would read all rows of a campaign by it.
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="assignments", db_index=False
    )
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="assignments", db_index=False)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments"
    )
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.OVERLAP)
    repeat_number = models.PositiveSmallIntegerField(default=0)
    # Grows with every change of the plan; only the order means something.
    position = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=AssignmentState.choices, default=AssignmentState.WAITING)
    rests_until = models.DateTimeField(null=True)  # a silent repeat: not before this moment
    lease_id = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    screen_order = models.PositiveIntegerField(null=True)  # the how-manieth sample handed to this person
    first_shown_at = models.DateTimeField(null=True)  # displayed, not merely fetched ahead
    opened_at = models.DateTimeField(null=True)  # when a text estimated severe was uncovered
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Assignment"]] = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sample", "annotator", "repeat_number"], name="assignment_one_per_sample_and_person"
            ),
            models.UniqueConstraint(
                fields=["campaign", "annotator", "position"], name="assignment_one_per_position"
            ),
            # Target of the composite foreign key of a label: it cannot disagree with its assignment.
            models.UniqueConstraint(
                fields=["id", "annotator", "sample", "campaign"], name="assignment_identity"
            ),
            models.CheckConstraint(
                condition=Q(state__in=AssignmentState.values), name="assignment_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=Purpose.values), name="assignment_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="leased", lease_id__isnull=False, leased_until__isnull=False)
                | ~Q(state="leased"),
                name="assignment_lease_is_whole",
            ),
        ]
        indexes = [
            # The highest screen order of a person, and whether that sample was severe.
            models.Index(
                fields=["campaign", "annotator", "screen_order"],
                condition=Q(screen_order__isnull=False),
                name="assignment_screen_order",
            ),
            models.Index(fields=["rests_until"], condition=Q(state="resting"), name="assignment_resting"),
            models.Index(
                fields=["campaign", "annotator", "position"],
                condition=Q(state__in=["waiting", "leased"]),
                name="assignment_queue",
            ),
            models.Index(
                fields=["campaign", "annotator", "screen_order"],
                condition=Q(state="leased"),
                name="assignment_handed_out",
            ),
            models.Index(fields=["leased_until"], condition=Q(state="leased"), name="assignment_leases"),
            # The severe text that a person opened last, of whichever campaign.
            models.Index(
                fields=["annotator", "opened_at"],
                condition=Q(opened_at__isnull=False),
                name="assignment_opened",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.annotator_id} labels {self.sample_id}"
