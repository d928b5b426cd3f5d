"""Publish document versions, and sign them; neither is ever changed or taken back."""

import hashlib
from pathlib import Path

from django.db import transaction
from django.db.models import Max

from annotation.models import DocumentKind, DocumentVersion, Signature
from annotation.qualification import admissions
from annotation.qualification.facts import documents_in_force
from annotation.recruitment.advance import advance
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

SHIPPED = Path(__file__).parent / "documents"
SHIPPED_VERSION = "1.0"


class DocumentRefusedError(Exception):
    """The document cannot be published or signed so; the text says why and what to do."""


def publish_shipped_documents() -> None:
    """Publish the shipped template of each kind that has no version yet."""
    in_force = documents_in_force()
    for kind in DocumentKind:
        if kind not in in_force:
            body = (SHIPPED / f"{kind}.md").read_text(encoding="utf-8")
            publish(kind=kind, version=SHIPPED_VERSION, body=body, published_by=None)


def publish(*, kind: DocumentKind, version: str, body: str, published_by: User | None) -> DocumentVersion:
    """Put a new version in force: everybody signs it before the next sample; what is read goes on.

    Raises DocumentRefusedError when that version exists or its text is in force already.
    """
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    with transaction.atomic():
        campaigns = admissions.locked_campaigns_of()
        earlier = DocumentVersion.objects.filter(kind=kind)
        if earlier.filter(version=version).exists():
            raise DocumentRefusedError(f"Version {version} exists. Versions never change: give a new number.")
        newest = earlier.order_by("-place").first()
        if newest is not None and newest.sha256 == sha256:
            raise DocumentRefusedError(f"This very text is in force already, as version {newest.version}.")
        top = earlier.aggregate(top=Max("place"))["top"] or 0
        made: DocumentVersion = DocumentVersion.objects.create(
            kind=kind, version=version, body=body, sha256=sha256, published_by=published_by, place=top + 1
        )
        record_access(actor=published_by, action=Action.CREATED, obj_type="document", obj_id=str(made.pk))
        admissions.refresh_everywhere(campaigns, because=f"{kind.label.lower()} {version} published")
        return made


def sign(*, document: DocumentVersion, sha256: str, signer: User, confirmed_by: str) -> Signature:
    """Sign the text that was shown; a repeated request returns the signature that stands.

    Raises DocumentRefusedError when it is not, or no longer, the text in force.
    """
    with transaction.atomic():
        campaigns = admissions.locked_campaigns_of(signer)
        stands: Signature | None = Signature.objects.filter(document=document, signer=signer).first()
        if stands is not None:
            return stands
        in_force = documents_in_force().get(document.kind)
        if in_force is None or in_force.pk != document.pk or in_force.sha256 != sha256:
            raise DocumentRefusedError("A newer version is in force. Read that one and sign it.")
        Signature.objects.bulk_create(
            [Signature(document=document, signer=signer, sha256=sha256, confirmed_by=confirmed_by)],
            ignore_conflicts=True,  # a second tab signed at this moment
        )
        made: Signature = Signature.objects.get(document=document, signer=signer)
        record_access(actor=signer, action=Action.CREATED, obj_type="signature", obj_id=str(made.pk))
        words = f"{signer.code} signed {document.get_kind_display().lower()}"
        admissions.refresh_everywhere(campaigns, signer, because=words)
        advance(person=signer, by=signer)
        return made
