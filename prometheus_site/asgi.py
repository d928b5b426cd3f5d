"""ASGI entry point: long-lived streams, kept away from the threads that serve pages."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prometheus_site.settings")
django.setup()

from django.db import connections  # noqa: E402

from prometheus_site.core.checks import refuse_to_serve_unprepared  # noqa: E402  the apps are loaded now
from prometheus_site.streams.application import Streams  # noqa: E402

refuse_to_serve_unprepared()
connections.close_all()  # while nobody listens this process keeps none
application = Streams()
