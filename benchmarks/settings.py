"""The product's settings, on the database of the benchmark that runs now."""

import os

from prometheus_site.settings import *  # noqa: F403
from prometheus_site.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
