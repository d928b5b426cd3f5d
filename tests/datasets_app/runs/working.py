"""A real Celery worker on a test's own database, and waiting for what it does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from django.conf import settings as site_settings

WITHIN_SECONDS = 120
WORKER = """
import sys
from prometheus_site.celery import app
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
app.worker_main(["worker", "--pool", "prefork", "--concurrency", "2"])
"""


@contextmanager
def worker_of(database: str, environment: dict[str, str]) -> Iterator[None]:
    """A worker with two processes on this database; inside the block's end it is killed with -9."""
    own = {"DJANGO_SETTINGS_MODULE": "prometheus_site.settings", **environment}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, database],
        cwd=site_settings.BASE_DIR,
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for one in family:
            one.kill()
        process.wait()
        psutil.wait_procs(family, timeout=20)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError(f"not seen within {WITHIN_SECONDS} s: {what}")
