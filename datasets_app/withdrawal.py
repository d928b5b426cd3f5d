"""A source is withdrawn: its texts become unreadable for ever, its rows and the labels given on it stay."""

from typing import TYPE_CHECKING
from uuid import UUID

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


class SourceWithdrawnError(Exception):
    """The source was withdrawn: nothing can be added to it."""

    def __init__(self, source: Source, remedy: str = "import into another source") -> None:
        super().__init__(f"“{source.name}” was withdrawn: {remedy}.")


def hold_source(source_id: UUID, remedy: str = "import into another source") -> Source:
    """Return the source, which nobody can withdraw before our transaction ends.

    Raises SourceWithdrawnError with the remedy, which hangs on what was to be added. Call it before anything
    is sealed for the source: a key made after its withdrawal would be a live one.
    """
    # A shared lock, which select_for_update has not: imports and uploads need not wait for each other.
    query = f"SELECT * FROM {Source._meta.db_table} WHERE id = %s FOR SHARE"  # noqa: S608 -- our own table
    source = Source.objects.raw(query, [source_id])[0]
    if source.withdrawn_at is not None:
        raise SourceWithdrawnError(source, remedy)
    return source


def withdraw_source(*, name: str, because: str, withdrawn_by: "User | None" = None) -> Source:
    """Destroy the key of a source's texts and mark it as withdrawn. Idempotent; cannot be undone.

    Waits for imports that are writing into the source. Raises SourceUnknownError.
    """
    with transaction.atomic():
        source = Source.objects.select_for_update().filter(name=name).first()
        if source is None:
            raise SourceUnknownError(f"There is no source “{name}”: see the list on the page Data.")
        destroy_key(source.key_scope, because)
        if source.withdrawn_at is None:
            source.withdrawn_at = timezone.now()
            source.save(update_fields=["withdrawn_at"])
            record_access(actor=withdrawn_by, action=Action.CHANGED, obj_type="source", obj_id=str(source.pk))
        return source
