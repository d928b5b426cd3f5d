"""Recruiting for a campaign: the public facts, applications and their events, links, CVs and e-mails."""

import uuid

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models.campaign import Campaign
from annotation.recruitment.cv_files import LIMIT_BYTES, CvKind
from annotation.recruitment.stages import CHOICES, ENDED, Stage
from prometheus_site.accounts.models import Invitation
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers
from prometheus_site.core.models import DataKey, SealedText


@pghistory.track()
class Recruitment(models.Model):
    """What a campaign's public page says, whether it takes applications, and what it should reach."""

    campaign = models.OneToOneField(
        Campaign, on_delete=models.PROTECT, primary_key=True, related_name="recruitment"
    )
    is_open = models.BooleanField(default=False)
    what = models.TextField()
    why = models.TextField()
    pay = models.TextField()
    hours = models.TextField()
    content_warning = models.TextField()
    data_promise = models.TextField()
    target_applicants = models.PositiveSmallIntegerField(null=True)
    target_pass_percent = models.PositiveSmallIntegerField(null=True)
    target_days_to_hire = models.PositiveSmallIntegerField(null=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(target_pass_percent__isnull=True) | Q(target_pass_percent__lte=100),
                name="recruitment_pass_percent_range",
            ),
            models.CheckConstraint(
                condition=Q(is_open=False) | ~Q(pay=""), name="recruitment_open_says_the_pay"
            ),
        ]

    def __str__(self) -> str:
        return f"recruiting for {self.campaign_id}"


class Application(models.Model):
    """One person's application. Who it is lies sealed under a key of its own: destroyed, nobody knows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="applications")
    stage = models.CharField(max_length=16, choices=CHOICES, default=Stage.STARTED.value)
    came_from = models.CharField(max_length=16, choices=CHOICES, blank=True)  # of one that stands aside
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()  # the answers, the e-mail address among them
    draft_version = models.PositiveIntegerField(default=0)
    # Keyed hash of the address: finds a second application, tells nobody the address.
    email_digest = models.BinaryField(max_length=32)
    started_at = models.DateTimeField(db_default=Now())
    saved_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    duplicate_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="duplicates")
    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(stage__in=[stage.value for stage in Stage]), name="application_stage_is_known"
            ),
            models.UniqueConstraint(
                fields=["campaign", "email_digest"],
                condition=Q(confirmed_at__isnull=False, duplicate_of__isnull=True)
                & ~Q(stage__in=[stage.value for stage in ENDED]),
                name="application_one_live_per_address",
            ),
            models.CheckConstraint(
                condition=Q(stage="started", submitted_at__isnull=True)
                | Q(submitted_at__isnull=False) & ~Q(stage="started"),
                name="application_started_is_not_sent",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "stage"], name="application_campaign_stage")]

    def __str__(self) -> str:
        return f"application {self.code}"

    @property
    def code(self) -> str:
        """What stands for the applicant where names are not shown."""
        return f"A-{self.id.hex[:6].upper()}"

    @property
    def key_scope(self) -> str:
        return f"applicant:{self.id}"


class ApplicationEvent(AppendOnlyModel):
    """An application moved from one stage to another: who moved it (nobody: the site itself), and why."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()
    from_stage = models.CharField(max_length=16, choices=CHOICES)
    to_stage = models.CharField(max_length=16, choices=CHOICES)
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    why = models.OneToOneField(SealedText, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["application", "number"], name="applicationevent_one_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.from_stage} to {self.to_stage}"


class ApplicationLink(models.Model):
    """An unguessable address that opens one application. Only the token's hash is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="links")
    token_digest = models.CharField(max_length=64, unique=True)
    proves_address = models.BooleanField()  # it was sent, or handed over, to the owner of the address
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link of {self.application_id}"


class CurriculumVitae(models.Model):
    """The file an applicant sent, sealed; another one replaces it while the application is not sent."""

    application = models.OneToOneField(
        Application, on_delete=models.CASCADE, primary_key=True, related_name="cv"
    )
    kind = models.CharField(max_length=4, choices=[(kind.value, kind.value) for kind in CvKind])
    size_bytes = models.PositiveIntegerField()
    sealed = models.BinaryField()
    uploaded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in CvKind]), name="curriculumvitae_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(size_bytes__gte=1, size_bytes__lte=LIMIT_BYTES),
                name="curriculumvitae_size_range",
            ),
        ]

    def __str__(self) -> str:
        return f"CV of {self.application_id}"


class MailKind(models.TextChoices):
    CONFIRM = "confirm", "Confirm your address"
    APPLIED = "applied", "We have your application"
    AGAIN = "again", "You had applied before"
    SCREENING = "screening", "The screening quiz is open"
    CALIBRATION = "calibration", "Calibration: your account"
    CALIBRATE = "calibrate", "Calibration: it is open"
    OFFERED = "offered", "We would like to work with you"
    AGREEMENTS = "agreements", "Agreements to read and sign"
    TRAINING = "training", "The training is open"
    ACTIVE = "active", "You can begin"
    DECLINED = "declined", "Not this time"
    WITHDRAWN = "withdrawn", "You withdrew"
    PAUSED = "paused", "Your application rests"


class MailState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    NOT_SENT = "not_sent", "Not sent: no mail server set up"
    FAILED = "failed", "Not sent: the mail server refused it, or sending was cut off"


class OutgoingMail(models.Model):
    """An e-mail to an applicant. It holds no text: that is made when it is sent, with a link made then."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="mails")
    kind = models.CharField(max_length=12, choices=MailKind.choices)
    # The move that caused it: the same move never sends the same mail again.
    event_number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=MailState.choices, default=MailState.WAITING)
    queued_at = models.DateTimeField(db_default=Now())
    state_since = models.DateTimeField(db_default=Now())
    handed_over_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "kind", "event_number"], name="outgoingmail_once_per_move"
            ),
            models.CheckConstraint(
                condition=Q(state__in=MailState.values), name="outgoingmail_state_is_known"
            ),
            models.CheckConstraint(condition=Q(kind__in=MailKind.values), name="outgoingmail_kind_is_known"),
        ]
        indexes = [
            models.Index(
                fields=["queued_at"], condition=Q(state__in=["waiting", "sending"]), name="outgoingmail_queue"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} mail of {self.application_id}"
