"""The page of an import: how far it is, what it kept, what it turned away, and another try."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from datasets_app.importing.progress import Progress, ProgressNote, read_progress
from datasets_app.importing.running import run_import
from datasets_app.importing.services import discard_abandoned_uploads
from datasets_app.models import ImportJob, ImportState, Upload, UploadChunk
from prometheus_site.accounts.models import User
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
NOWHERE = {
    "default": {"BACKEND": "prometheus_site.core.cache.RedisOrMemoryCache", "LOCATION": "unix:///nowhere"}
}


def page_of(job: ImportJob) -> str:
    return reverse("data:import", args=[job.pk])


def failed_import(user: User) -> ImportJob:
    job = files.queued(user, files.chatml() + b'{"messages": "\xe9"}\n')
    run_import(job.pk)
    job.refresh_from_db()
    assert job.state == ImportState.FAILED
    return job


def test_an_active_import_is_asked_for_again_every_second(lead: User, client_for: SignedIn) -> None:
    job = files.queued(lead, files.chatml())

    page = client_for(lead).get(page_of(job)).content.decode()

    assert f'hx-get="{page_of(job)}" hx-trigger="every 1s"' in page
    assert "<noscript>" in page
    assert "Waiting" in page


def test_shows_the_progress_of_a_running_import(lead: User, client_for: SignedIn) -> None:
    job = files.queued(lead, files.chatml())
    ImportJob.objects.update(state=ImportState.RUNNING)
    ProgressNote(job.pk).write(Progress(kept=41, rejected=2, fraction=0.55))

    page = client_for(lead).get(page_of(job), headers={"HX-Request": "true"}).content.decode()

    assert "55 %, 41 kept, 2 rejected" in page
    assert "<html" not in page
    cache.clear()


def test_an_ended_import_is_not_asked_for_again(lead: User, client_for: SignedIn) -> None:
    job = files.queued(lead, files.chatml(count=4) + b"{broken\n[]\n[]\n")
    run_import(job.pk)

    page = client_for(lead).get(page_of(job)).content.decode()

    assert "hx-trigger" not in page
    assert reverse("data:rejects", args=[job.pk]) + "?reason=not_an_object" in page


def test_a_cache_that_is_down_stops_nothing(lead: User, client_for: SignedIn, settings: Settings) -> None:
    settings.CACHES = NOWHERE
    job = files.queued(lead, files.chatml())

    assert client_for(lead).get(page_of(job)).status_code == 200
    assert read_progress(job.pk) is None
    run_import(job.pk)

    job.refresh_from_db()
    assert job.state == ImportState.DONE


def test_a_failed_import_says_where_and_what_to_do(lead: User, client_for: SignedIn) -> None:
    job = failed_import(lead)

    page = client_for(lead).get(page_of(job)).content.decode()

    assert "made-up.jsonl, row 4: byte" in page
    assert "save the file as UTF-8" in page
    assert "Try again" in page


def test_another_try_is_a_new_import_of_the_same_file(lead: User, client_for: SignedIn) -> None:
    job = failed_import(lead)
    client = client_for(lead)

    response = client.post(reverse("data:retry_import", args=[job.pk]))

    stored = Upload.objects.get()
    assert response["Location"] == reverse("data:preview", args=[stored.pk])
    assert stored.job.pk != job.pk
    assert stored.job.state == ImportState.PREVIEW
    job.refresh_from_db()
    assert (job.state, job.upload_id) == (ImportState.FAILED, None)

    reading = {"format": "auto", "encoding": "latin-1", "client_labels": "", "therapist_labels": ""}
    client.post(response["Location"], reading)
    client.post(response["Location"], reading | {"import": "1"})
    run_import(stored.job.pk)
    stored.job.refresh_from_db()
    assert (stored.job.state, stored.job.kept_count) == (ImportState.DONE, 3)


def test_an_import_that_did_not_fail_gets_no_second_try(lead: User, client_for: SignedIn) -> None:
    job = files.queued(lead, files.chatml())

    response = client_for(lead).post(reverse("data:retry_import", args=[job.pk]), follow=True)

    assert "not kept any more: upload it again" in response.content.decode()
    assert ImportJob.objects.count() == 1


def test_the_file_of_a_failed_import_can_be_discarded(lead: User, client_for: SignedIn) -> None:
    job = failed_import(lead)

    client_for(lead).post(reverse("data:discard_upload", args=[job.upload_id]))

    assert UploadChunk.objects.count() == 0
    page = client_for(lead).get(page_of(job)).content.decode()
    assert job.problem[:30] in page
    assert "Try again" not in page


def test_abandoned_files_go_after_a_day(lead: User) -> None:
    failed_import(lead)
    files.upload(lead, files.chatml(), new_source="Looked at")
    files.queued(lead, files.chatml(), new_source="Waiting")
    assert discard_abandoned_uploads() == 0

    Upload.objects.update(uploaded_at=timezone.now() - timedelta(hours=25))

    assert discard_abandoned_uploads() == 2
    assert discard_abandoned_uploads() == 0
    assert set(UploadChunk.objects.values_list("upload__job__state", flat=True)) == {"queued"}
    assert not ImportJob.objects.filter(state=ImportState.PREVIEW).exists()


def test_a_preview_has_no_import_page_yet(lead: User, client_for: SignedIn) -> None:
    stored = files.upload(lead, files.chatml())

    assert client_for(lead).get(page_of(stored.job)).status_code == 404
