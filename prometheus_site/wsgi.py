"""WSGI entry point: pages, forms and the admin."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prometheus_site.settings")

application = get_wsgi_application()

from prometheus_site.core.checks import refuse_to_serve_unprepared  # noqa: E402  the apps are loaded now

refuse_to_serve_unprepared()
