"""The site as a Django application: it owns the operators' commands and loads the Celery application."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "prometheus_site"
    label = "site"
    verbose_name = "Prometheus"

    def ready(self) -> None:
        from prometheus_site.celery import app  # noqa: F401  tasks bind to this application when they are sent
