"""A source is withdrawn: its texts become unreadable for ever, its rows and the labels given on it stay."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from datasets_app.models import Source
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.sealing import destroy_key

if TYPE_CHECKING:
    from prometheus_site.accounts.models import User


class SourceUnknownError(Exception):
    """There is no such source."""


def withdraw_source(*, name: str, because: str, withdrawn_by: "User | None" = None) -> Source:
    """Destroy the key of a source's texts and mark it as withdrawn. Idempotent; cannot be undone.

    Raises SourceUnknownError.
    """
    with transaction.atomic():
        source = Source.objects.select_for_update().filter(name=name).first()
        if source is None:
            raise SourceUnknownError(f"There is no source “{name}”: see the list on the page Data.")
        destroy_key(source.key_scope, because)
        if source.withdrawn_at is None:
            source.withdrawn_at = timezone.now()
            source.save(update_fields=["withdrawn_at"])
            record_access(
                actor=withdrawn_by, action=Action.CHANGED, obj_type="source", obj_id=str(source.pk)
            )
        return source
