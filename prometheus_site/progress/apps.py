"""Progress application."""

from django.apps import AppConfig


class ProgressConfig(AppConfig):
    name = "prometheus_site.progress"
    label = "progress"
    verbose_name = "Progress"
