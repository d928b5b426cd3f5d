"""Accounts application."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "prometheus_site.accounts"
    label = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        from prometheus_site.accounts.roles import Role
        from prometheus_site.core.navigation import NavLink, add_link

        add_link(NavLink(80, "People", "accounts:people", "users", lambda user: user.has_role(Role.LEAD)))
