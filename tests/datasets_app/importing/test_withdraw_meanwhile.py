"""A source is withdrawn while something is written into it: one of the two waits for the other."""

import threading
import time
from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections, transaction

from datasets_app.importing.running import run_import
from datasets_app.importing.services import store_upload
from datasets_app.models import Conversation, ImportJob, ImportState, Source, Upload
from datasets_app.withdrawal import SourceWithdrawnError, hold_source, withdraw_source
from prometheus_site.accounts.models import User
from prometheus_site.core.models import DataKey
from tests.datasets_app.importing import files

BECAUSE = "consent was taken back"


def test_an_import_waits_for_a_withdrawal_and_makes_no_new_key(committed_db: str, lead: User) -> None:
    job = files.queued(lead, files.chatml())

    _withdraw_while(lambda: run_import(job.pk))

    job.refresh_from_db()
    assert (job.state, job.problem) == (
        ImportState.FAILED,
        "“Made up” was withdrawn: import into another source.",
    )
    assert not Conversation.objects.exists()
    assert not DataKey.objects.filter(scope=job.source.key_scope, destroyed_at__isnull=True).exists()


def test_an_upload_waits_for_a_withdrawal_and_makes_no_new_key(committed_db: str, lead: User) -> None:
    source = files.new_source()
    refused: list[SourceWithdrawnError] = []

    def send() -> None:
        try:
            store_upload(
                file=SimpleUploadedFile("made-up.jsonl", files.chatml()),
                source=source,
                new_source="",
                license_tag="",
                is_synthetic=True,
                format="auto",
                encoding="",
                campaign="",
                user=lead,
            )
        except SourceWithdrawnError as error:
            refused.append(error)

    _withdraw_while(send)

    assert len(refused) == 1
    assert not Upload.objects.exists()
    assert not DataKey.objects.filter(scope=source.key_scope).exists()


def test_uploads_do_not_wait_for_an_import(committed_db: str, lead: User) -> None:
    source = files.new_source()
    with transaction.atomic():
        hold_source(source.pk)
        other = threading.Thread(
            target=_closing(lambda: files.upload(lead, files.chatml(), source=source, new_source=""))
        )
        other.start()
        other.join(60)
        is_waiting = other.is_alive()
    other.join()

    assert not is_waiting
    assert ImportJob.objects.count() == 1


def _withdraw_while(work: Callable[[], object]) -> None:
    """Start the work before the withdrawal is committed, and commit when the work waits or has ended."""
    worker = threading.Thread(target=_closing(work))
    with transaction.atomic():
        withdraw_source(name=Source.objects.get().name, because=BECAUSE)
        worker.start()
        _wait_until_it_waits(worker)
    worker.join()


def _closing(work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    return run


def _wait_until_it_waits(worker: threading.Thread) -> None:
    """Wait until the worker waits for our transaction, or has ended without."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    deadline = time.monotonic() + 60
    while worker.is_alive():
        with connection.cursor() as cursor:
            cursor.execute(query)
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < deadline, "the worker neither waited nor ended"
        time.sleep(0.02)
