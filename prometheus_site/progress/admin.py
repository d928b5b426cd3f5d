"""What engineers read of the record on the board: who touched what, by codes and ids, and hashes."""

from django.contrib import admin

from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent, Anchor, ChainEntry
from prometheus_site.core.admin import ReadOnlyAdmin


@admin.register(AccessEvent)
class AccessEventAdmin(ReadOnlyAdmin):
    readers = (Role.ENGINEER,)
    list_display = ("at", "person", "action", "object_type", "object_id", "request_id")
    fields = list_display
    list_filter = ("action",)
    list_select_related = ("actor",)
    ordering = ("-pk",)

    @admin.display(description="Person", empty_value="nobody")
    def person(self, row: AccessEvent) -> str | None:
        return row.actor.code if row.actor else None


@admin.register(ChainEntry)
class ChainEntryAdmin(ReadOnlyAdmin):
    readers = (Role.ENGINEER,)
    list_display = ("person", "sequence", "kind", "object_id", "entry_hash", "recorded_at")
    fields = (*list_display, "payload_hash", "previous_hash")
    list_select_related = ("chain",)
    ordering = ("-pk",)

    @admin.display(description="Person")
    def person(self, row: ChainEntry) -> str:
        return row.chain.code


@admin.register(Anchor)
class AnchorAdmin(ReadOnlyAdmin):
    readers = (Role.ENGINEER,)
    list_display = ("sequence", "anchored_at", "anchor_hash", "key_fingerprint")
    fields = (*list_display, "heads", "previous_hash", "signature")
    ordering = ("-sequence",)
