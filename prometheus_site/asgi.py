"""ASGI entry point: long-lived streams, kept away from the threads that serve pages."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prometheus_site.settings")

application = get_asgi_application()

from prometheus_site.core.checks import refuse_to_serve_unprepared  # noqa: E402  the apps are loaded now

refuse_to_serve_unprepared()
