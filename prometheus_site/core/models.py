"""Data keys and the one table that holds text at rest."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class DataKey(models.Model):
    """A key for the texts of one source or one clinician, wrapped by the master key.

    Destroying it makes those texts unreadable for ever while every row and the hash chain stay in place.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scope = models.CharField(max_length=80)  # "source:<id>", "clinician:<id>" or "site"
    wrapped = models.BinaryField(null=True)
    master_fingerprint = models.CharField(max_length=16)
    created_at = models.DateTimeField(db_default=Now())
    rewrapped_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)
    destroyed_because = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope"], condition=Q(destroyed_at__isnull=True), name="datakey_one_live_per_scope"
            ),
            models.CheckConstraint(
                condition=Q(wrapped__isnull=False, destroyed_at__isnull=True)
                | Q(wrapped__isnull=True, destroyed_at__isnull=False),
                name="datakey_destroyed_means_gone",
            ),
        ]

    def __str__(self) -> str:
        return self.scope


class SealedText(AppendOnlyModel):
    """One text, encrypted under its data key. No other table holds a text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="texts")
    ciphertext = models.BinaryField()
    digest = models.BinaryField(max_length=32)  # keyed hash of the plaintext, see sealing.py
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return str(self.id)


class Installation(models.Model):
    """The one row that says what this database is."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="installation_is_one_row")]

    def __str__(self) -> str:
        return "demo" if self.is_demo else "installation"
