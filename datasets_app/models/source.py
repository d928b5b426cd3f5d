"""Sources and their conversations; texts are sealed under one key per source."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from prometheus_site.core.models import SealedText


class Source(models.Model):
    """One body of conversations with one licence; withdrawing it destroys its key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    license_tag = models.CharField(max_length=60, default="unknown")
    is_synthetic = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    withdrawn_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def key_scope(self) -> str:
        return f"source:{self.id}"


class Conversation(models.Model):
    """One conversation as it was read: facts in clear, all its turns in one sealed text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="conversations")
    import_job = models.ForeignKey(
        "datasets_app.ImportJob", on_delete=models.PROTECT, related_name="conversations"
    )
    source_key = models.CharField(max_length=200)
    row = models.PositiveIntegerField()  # where the record stands in its file
    text = models.OneToOneField(SealedText, on_delete=models.PROTECT, related_name="conversation")
    content_digest = models.BinaryField(max_length=32)  # the sealed text's keyed digest
    topic = models.CharField(max_length=200, blank=True)
    turn_count = models.PositiveIntegerField()
    word_count = models.PositiveIntegerField()
    has_client_turn = models.BooleanField()
    has_assistant_turn = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "content_digest"], name="conversation_one_per_source_and_text"
            ),
            models.CheckConstraint(condition=Q(turn_count__gte=1), name="conversation_has_turns"),
            models.CheckConstraint(
                condition=Q(has_client_turn=True) | Q(has_assistant_turn=True),
                name="conversation_has_a_speaker",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.source_key}"
