"""Store guideline versions and put a new one in force; labels keep the version they were given under."""

import hashlib

from django.db import transaction

from annotation.models import Campaign, GuidelineVersion
from annotation.schemes.shipped import clauses
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access


class GuidelineRefusedError(Exception):
    """The guideline cannot be stored so; the text says why and what to do."""


def store_guideline(*, scheme_key: str, version: str, body: str, created_by: User | None) -> GuidelineVersion:
    """Store a guideline version, or return the stored one when it is the same.

    Raises GuidelineRefusedError when a clause code is used twice or that version has other text.
    """
    try:
        clauses(body)
    except ValueError as fault:
        raise GuidelineRefusedError(str(fault)) from fault
    digest = hashlib.sha256(body.encode()).hexdigest()
    stored, _ = GuidelineVersion.objects.get_or_create(
        scheme_key=scheme_key,
        version=version,
        defaults={"body": body, "digest": digest, "created_by": created_by},
    )
    if stored.digest != digest:
        raise GuidelineRefusedError(
            f"Version {version} of the guideline for “{scheme_key}” exists with other text. Versions never "
            "change: give this one a new version."
        )
    found: GuidelineVersion = stored
    return found


def change_guideline(*, campaign: Campaign, version: str, body: str, changed_by: User) -> GuidelineVersion:
    """Put a guideline version in force in the campaign: shown from now on, named by every later label.

    Raises GuidelineRefusedError when it cannot be stored or is in force already.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        guideline = store_guideline(
            scheme_key=campaign.scheme.key, version=version, body=body, created_by=changed_by
        )
        if guideline.pk == locked.guideline_id:
            raise GuidelineRefusedError(
                f"Version {version} with this very text is in force already. Change the text and the version."
            )
        locked.guideline = guideline
        locked.save(update_fields=["guideline"])
        record_access(actor=changed_by, action=Action.CHANGED, obj_type="campaign", obj_id=str(campaign.pk))
        return guideline
