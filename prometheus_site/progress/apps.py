"""Progress application."""

from django.apps import AppConfig

from prometheus_site.core.navigation import NavLink, add_link


class ProgressConfig(AppConfig):
    name = "prometheus_site.progress"
    label = "progress"
    verbose_name = "Progress"

    def ready(self) -> None:
        add_link(NavLink(60, "Board", "admin:index", "layout-dashboard", lambda user: user.is_staff))
