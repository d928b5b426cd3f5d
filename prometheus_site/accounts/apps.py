"""Accounts application."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "prometheus_site.accounts"
    label = "accounts"
    verbose_name = "People"
