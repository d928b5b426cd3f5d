"""A web process that is not prepared stops at its start, with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("server", ["wsgi", "asgi"])
def test_without_secrets_it_does_not_start(server: str, tmp_path: Path) -> None:
    """An empty home has neither the secret that signs cookies nor a master key."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "DATABASE_URL")}
    done = subprocess.run(
        [sys.executable, "-c", f"import prometheus_site.{server}"],
        cwd=PROJECT,
        env=kept | {"PROMETHEUS_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "prometheus_site.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "SECRET_KEY is not set." in done.stderr
    assert "There is no master key" in done.stderr
