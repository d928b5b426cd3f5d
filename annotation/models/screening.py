"""Screening: versions of the question bank, tries at the quiz, and every answer given."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models.recruitment import Application
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class QuestionBankVersion(AppendOnlyModel):
    """One version of the bank, key and explanations included, as it was when tries were drawn from it."""

    version = models.CharField(max_length=20, unique=True)
    definition = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"question bank {self.version}"


class QuizAttempt(models.Model):
    """One try: what was drawn follows from bank and seed; the server keeps the time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    bank = models.ForeignKey(QuestionBankVersion, on_delete=models.PROTECT, related_name="+")
    seed = models.PositiveBigIntegerField()
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    correct = models.PositiveSmallIntegerField(null=True)
    asked = models.PositiveSmallIntegerField()
    has_passed = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "number"], name="quizattempt_one_per_number"),
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(finished_at__isnull=True),
                name="quizattempt_one_open_per_application",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, correct__isnull=True, has_passed__isnull=True)
                | Q(finished_at__isnull=False, correct__isnull=False, has_passed__isnull=False),
                name="quizattempt_finished_is_scored",
            ),
        ]

    def __str__(self) -> str:
        return f"try {self.number} of {self.application_id}"


class QuizAnswer(AppendOnlyModel):
    """An answer to one question of a try; a later one to the same question takes its place."""

    attempt = models.ForeignKey(QuizAttempt, on_delete=models.PROTECT, related_name="answers")
    number = models.PositiveIntegerField()
    question = models.CharField(max_length=40)
    chosen = models.CharField(max_length=20)
    given_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["attempt", "number"], name="quizanswer_one_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.question} in {self.attempt_id}"
