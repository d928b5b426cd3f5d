"""WSGI entry point: pages, forms and the admin."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prometheus_site.settings")

application = get_wsgi_application()
