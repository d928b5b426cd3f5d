"""The Celery application: a nudge to look at the database, never the queue of record."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prometheus_site.settings")

app = Celery("prometheus")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
