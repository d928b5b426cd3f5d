"""A backup is restored on another installation, which has copies of the keys and nothing else."""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as site
from django.core.management import call_command
from pytest_django import Settings

from annotation.models import Label
from prometheus_site.embedded import keys
from prometheus_site.embedded.home import DATABASE_NAME, Home
from prometheus_site.embedded.postgres import EmbeddedPostgres
from tests.prometheus_site.core.filled import fill

pytestmark = pytest.mark.fault

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def backup_folder(committed_db: str, settings: Settings, tmp_path: Path) -> Path:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    fill()
    call_command("backup", to=tmp_path / "backup", stdout=io.StringIO())
    return tmp_path / "backup"


@pytest.fixture
def elsewhere() -> Iterator[Home]:
    """The folder of an installation that was never started, with copies of the keys."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="p-"))
    folder.chmod(0o711)  # the servers' user passes through
    home = Home(folder / "home")
    home.ensure()
    for name in (keys.MASTER_KEYS, keys.SIGNING_KEY):
        shutil.copy(site.HOME.keys / name, home.keys / name)
    yield home
    EmbeddedPostgres(home).stop()
    shutil.rmtree(folder)


def manage(home: Home, *arguments: object, **environment: str) -> tuple[int, str]:
    """Run a management command of the product on that installation; return its status and output."""
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "PROMETHEUS_HOME": str(home.path)} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_drill_and_restore_on_another_installation(backup_folder: Path, elsewhere: Home) -> None:
    status, said = manage(elsewhere, "restore_drill", backup_folder)
    assert status == 0, said
    assert "The backup can be restored, and everything holds" in said
    assert not EmbeddedPostgres(elsewhere).is_running()

    anchors = elsewhere.path / "anchors.jsonl"
    anchors.write_text("what was there\n")
    status, said = manage(elsewhere, "restore", backup_folder)
    assert status == 0, said
    assert "Restored, and everything holds. Start the site." in said
    assert anchors.read_bytes() == (backup_folder / "anchors.jsonl").read_bytes()
    [kept] = elsewhere.path.glob("anchors.jsonl.before-*")
    assert kept.read_text() == "what was there\n"

    status, said = manage(elsewhere, "backup")  # of a stopped site: its server runs for as long
    assert status == 0, said
    assert [path.name for path in (elsewhere.path / "backups").iterdir()] == [Path(said.split(":")[0]).name]
    assert not EmbeddedPostgres(elsewhere).is_running()

    EmbeddedPostgres(elsewhere).start()
    status, said = manage(elsewhere, "verify_audit_chain", "--skip-checks")
    assert status == 0, said
    assert f"1 chains, {Label.objects.count()} links, 1 anchors" in said

    status, said = manage(elsewhere, "restore", backup_folder)
    assert status == 1
    assert "The database is not empty, and a restore overwrites nothing." in said


def test_installation_with_other_keys_restores_nothing(backup_folder: Path, elsewhere: Home) -> None:
    (elsewhere.keys / keys.MASTER_KEYS).write_bytes(keys.MAKERS[keys.MASTER_KEYS]())
    status, said = manage(elsewhere, "restore", backup_folder)
    assert status == 1
    assert "needs the master key with the fingerprint" in said
    assert not elsewhere.postgres_data.exists()


def test_backup_of_no_database_is_refused(elsewhere: Home) -> None:
    status, said = manage(elsewhere, "backup")
    assert status == 1
    assert f"There is no database in {elsewhere.path}" in said
    assert not (elsewhere.path / "backups").exists()


def test_backup_of_a_server_named_by_its_address(committed_db: str, tmp_path: Path) -> None:
    """DATABASE_URL names a server: programs on PATH come first, if they are as new as the server."""
    server = EmbeddedPostgres(site.HOME)
    address = {
        name: url.replace(f"/{DATABASE_NAME}?", f"/{committed_db}?")
        for name, url in (("DATABASE_URL", server.app_url()), ("DATABASE_OWNER_URL", server.owner_url()))
    }
    status, said = manage(site.HOME, "backup", "--to", tmp_path / "backup", **address)
    assert status == 0, said
    assert server.home.read_secret(keys.OWNER_PASSWORD) not in said
    assert (tmp_path / "backup" / "database.dump").stat().st_size > 0

    del address["DATABASE_OWNER_URL"]
    status, said = manage(site.HOME, "backup", "--to", tmp_path / "another", **address)
    assert status == 1
    assert "DATABASE_URL names a server but DATABASE_OWNER_URL does not" in said
    assert not (tmp_path / "another").exists()
