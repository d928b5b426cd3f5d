"""Append-only records: who looked at what, each clinician's hash chain, and the anchors over all chains."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class Action(models.TextChoices):
    VIEWED = "viewed", "viewed"
    LISTED = "listed", "listed"
    CREATED = "created", "created"
    CHANGED = "changed", "changed"
    EXPORTED = "exported", "exported"
    REVEALED = "revealed", "revealed names"
    REFUSED = "refused", "was refused"
    SIGNED_IN = "signed_in", "signed in"
    SIGNED_OUT = "signed_out", "signed out"


class AccessEvent(AppendOnlyModel):
    """One person did one thing to one object. Holds ids only, never text."""

    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=16, choices=Action.choices)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60, blank=True)
    request_id = models.UUIDField(null=True)

    class Meta:
        triggers = append_only_triggers()
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="accessevent_object"),
            models.Index(fields=["actor", "at"], name="accessevent_actor_at"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(action__in=Action.values), name="accessevent_action_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.actor_id} {self.action} {self.object_type} {self.object_id}"


class ChainEntry(AppendOnlyModel):
    """One link of a clinician's chain: the hash of what was recorded and of the link before it."""

    chain = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="chain_entries"
    )
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    object_id = models.UUIDField()
    payload_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    entry_hash = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "chain entries"
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="chainentry_one_per_place"),
            models.UniqueConstraint(fields=["kind", "object_id"], name="chainentry_one_per_object"),
        ]

    def __str__(self) -> str:
        return f"{self.chain_id} #{self.sequence}"


class Anchor(AppendOnlyModel):
    """The heads of all chains that moved, hashed together with the anchor before and signed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sequence = models.PositiveIntegerField(unique=True)
    heads = models.JSONField()  # [[chain id, sequence, entry hash], ...] sorted by chain id
    previous_hash = models.CharField(max_length=64)
    anchor_hash = models.CharField(max_length=64)
    signature = models.CharField(max_length=128)  # Ed25519 over anchor_hash, hexadecimal
    key_fingerprint = models.CharField(max_length=16)
    anchored_at = models.DateTimeField()

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"anchor {self.sequence}"
