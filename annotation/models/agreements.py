"""What a clinician agrees to: documents in versions that never change, and who signed which."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class DocumentKind(models.TextChoices):
    CONSENT = "consent", "Consent and content warning"
    CONFIDENTIALITY = "confidentiality", "Confidentiality"
    CONTRACTOR_TERMS = "contractor_terms", "Contractor terms"


class DocumentVersion(AppendOnlyModel):
    """One version of a document; the newest of its kind is the one to sign."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=DocumentKind.choices)
    version = models.CharField(max_length=20)
    body = models.TextField()  # Markdown, ours
    sha256 = models.CharField(max_length=64)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    published_at = models.DateTimeField(db_default=Now())
    place = models.PositiveIntegerField()  # the how-manieth of its kind: a clock set back changes no order

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="documentversion_one_per_version"),
            models.UniqueConstraint(fields=["kind", "place"], name="documentversion_one_per_place"),
            models.CheckConstraint(
                condition=Q(kind__in=DocumentKind.values), name="documentversion_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"


class Signature(AppendOnlyModel):
    """A person agreed to exactly this text, having confirmed once more who they are."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="signatures")
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="signatures")
    sha256 = models.CharField(max_length=64)  # of the text as it was shown
    confirmed_by = models.CharField(max_length=20)  # how: password, totp, webauthn, recovery_codes
    signed_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.UniqueConstraint(fields=["document", "signer"], name="signature_once_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.signer_id} signed {self.document_id}"
