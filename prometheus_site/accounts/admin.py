"""What leads read of roles on the admin pages; giving and taking them is done on the team's page."""

from django.contrib import admin

from prometheus_site.accounts.models import RoleGrant
from prometheus_site.accounts.roles import Role
from prometheus_site.core.admin import ReadOnlyAdmin


@admin.register(RoleGrant)
class RoleGrantAdmin(ReadOnlyAdmin):
    readers = (Role.LEAD,)
    list_display = ("user", "role", "granted_by", "granted_at", "revoked_at", "revoked_by")
    fields = list_display
    list_filter = ("role",)
    list_select_related = ("user", "granted_by", "revoked_by")
    ordering = ("-granted_at",)
