"""Audit application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "prometheus_site.audit"
    label = "audit"
    verbose_name = "Audit"
