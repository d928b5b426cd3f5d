"""The product's settings on a test installation of its own: real PostgreSQL and Redis, no shared state."""

import os

from prometheus_site.embedded.home import Home

_ours = Home.default()
# Processes that share the tests (pytest-xdist calls them gw0, gw1 …) have servers, queue and folders each.
_process = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
_name = _ours.path.name.partition("-test-")[0]  # ours may be a test's already: a process's children are told
TEST_HOME = Home(_ours.path.with_name(f"{_name}-test-{_process}"))
os.environ["PROMETHEUS_HOME"] = str(TEST_HOME.path)
for outside in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "PROMETHEUS_MASTER_KEYS"):
    os.environ.pop(outside, None)
TEST_HOME.ensure()

from prometheus_site.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; no test is about hashing
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT = TEST_HOME.path / "static"
STATIC_ROOT.mkdir(exist_ok=True)
