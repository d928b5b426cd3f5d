"""Core application."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "prometheus_site.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        from prometheus_site.core import checks  # noqa: F401  registers the start-up checks
