"""A worker that dies takes nothing with it, and its import comes back."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections

from datasets_app.importing.running import import_file, run_import
from datasets_app.importing.services import requeue_lost_imports
from datasets_app.models import Conversation, ImportJob, ImportState
from prometheus_site.accounts.models import User
from tests.datasets_app.importing import files

WORKER = """
import sys, uuid
import django
from django.conf import settings
from django.db import connection
django.setup()
connection.settings_dict["NAME"] = sys.argv[1]
from datasets_app.importing.running import run_import
run_import(uuid.UUID(sys.argv[2]))
"""


@pytest.mark.fault
def test_a_killed_worker_leaves_nothing_and_the_import_completes(committed_db: str, lead: User) -> None:
    job = files.queued(lead, files.chatml(count=8_000))
    before = files.row_counts()
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, committed_db, str(job.pk)],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "prometheus_site.settings"},
    )
    _wait_until_it_writes(committed_db)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    _wait_until_the_server_noticed()

    job.refresh_from_db()
    assert job.state == ImportState.RUNNING
    assert files.row_counts() == before

    assert requeue_lost_imports() == 1
    job.refresh_from_db()
    assert (job.state, job.attempts) == (ImportState.QUEUED, 1)

    run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.record_count, job.kept_count) == (ImportState.DONE, 8_000, 8_000)
    assert Conversation.objects.count() == 8_000


def _wait_until_it_writes(database: str) -> None:
    """Wait until the worker has an open transaction that has written."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() "
        "AND backend_xid IS NOT NULL AND query LIKE '%%conversation%%'"
    )
    _wait_for(query, [database], wanted=1)


def _wait_until_the_server_noticed() -> None:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    _wait_for(query, [], wanted=0)


def _wait_for(query: str, params: list[str], wanted: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(query, params)
            if cursor.fetchone()[0] == wanted:
                return
        time.sleep(0.02)
    raise AssertionError(f"not seen within a minute: {query}")


def test_two_workers_never_run_one_import(committed_db: str, lead: User) -> None:
    job = files.queued(lead, files.chatml(count=2000))

    def work() -> None:
        try:
            run_import(job.pk)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    job.refresh_from_db()
    assert (job.state, job.kept_count, job.rejected_count) == (ImportState.DONE, 2000, 0)
    assert Conversation.objects.count() == 2000


@pytest.mark.django_db
def test_the_third_loss_fails_with_a_sentence(lead: User) -> None:
    job = files.queued(lead, files.chatml())
    states = []
    for _ in range(3):
        ImportJob.objects.update(state=ImportState.RUNNING)
        requeue_lost_imports()
        job.refresh_from_db()
        states.append((job.state, job.attempts))

    assert states == [("queued", 1), ("queued", 2), ("failed", 3)]
    assert "stopped 3 times" in job.problem
    assert job.finished_at is not None


@pytest.mark.django_db
def test_an_import_from_the_command_line_cannot_be_requeued(tmp_path: Path) -> None:
    path = tmp_path / "made-up.jsonl"
    path.write_bytes(files.chatml())
    job = import_file(path=path, source=files.new_source(), format="auto", options={})
    ImportJob.objects.update(state=ImportState.RUNNING)

    requeue_lost_imports()

    job.refresh_from_db()
    assert job.state == ImportState.FAILED
    assert "run it again" in job.problem


@pytest.mark.django_db
def test_ended_and_previewed_imports_stay_as_they_are(lead: User) -> None:
    files.upload(lead, files.chatml())
    run_import(files.queued(lead, files.chatml(), new_source="Another").pk)

    assert requeue_lost_imports() == 0
    assert sorted(ImportJob.objects.values_list("state", flat=True)) == ["done", "preview"]
