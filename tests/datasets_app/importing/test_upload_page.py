"""The upload page: a file comes in sealed, or the page says why not."""

import io
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from datasets_app.models import ImportJob, ImportState, Source, Upload
from prometheus_site.accounts.models import User
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
URL = reverse("data:upload")
MEGABYTE = 1024 * 1024


def test_a_file_is_stored_and_its_preview_opens(lead: User, client_for: SignedIn) -> None:
    response = client_for(lead).post(URL, files.posted(files.chatml(), license_tag="CC0", is_synthetic="on"))

    stored = Upload.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("data:preview", args=[stored.pk])
    assert (stored.job.state, stored.uploaded_by, stored.file_name) == ("preview", lead, "made-up.jsonl")
    assert (stored.job.source.name, stored.job.source.license_tag) == ("Made up", "CC0")
    assert stored.job.source.is_synthetic
    assert files.tables_with(files.PHRASE) == []


def test_a_file_goes_into_a_source_that_is_there(lead: User, client_for: SignedIn) -> None:
    source = files.new_source()

    client_for(lead).post(URL, files.posted(files.chatml(), new_source="", source=str(source.pk)))

    assert Upload.objects.get().job.source == source


def test_the_campaign_of_the_link_is_carried_through(lead: User, client_for: SignedIn) -> None:
    client = client_for(lead)
    page = client.get(URL, {"campaign": "spring"}).content.decode()
    assert '<input type="hidden" name="campaign" value="spring"' in page

    client.post(URL, files.posted(files.chatml(), campaign="spring"))

    assert ImportJob.objects.get().campaign_slug == "spring"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"new_source": ""}, "Name the new source."),
        ({"format": "telepathy"}, "Select a valid choice"),
        ({"encoding": "utf-99"}, "Select a valid choice"),
        ({"file": ""}, "Choose a file."),
        ({"file": BytesIO(b"")}, "This file is empty: choose one with at least one conversation."),
        ({"campaign": "no slug"}, "names no campaign"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(
    lead: User, client_for: SignedIn, changes: dict[str, Any], sentence: str
) -> None:
    client = client_for(lead)
    if isinstance(changes.get("file"), BytesIO):
        changes["file"].name = "empty.jsonl"
    before = files.row_counts()

    response = client.post(URL, files.posted(files.chatml()) | changes)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert files.row_counts() == before


def test_both_a_source_and_a_new_one_are_one_too_many(lead: User, client_for: SignedIn) -> None:
    source = files.new_source()

    response = client_for(lead).post(URL, files.posted(files.chatml(), source=str(source.pk)))

    assert response.status_code == 422
    assert "not both" in response.content.decode()


def test_a_new_source_needs_a_name_of_its_own(lead: User, client_for: SignedIn) -> None:
    files.new_source()
    client = client_for(lead)
    before = files.row_counts()

    response = client.post(URL, files.posted(files.chatml()))

    assert response.status_code == 422
    assert "There is already a source named “Made up”" in response.content.decode()
    assert files.row_counts() == before


def test_a_withdrawn_source_is_not_offered(lead: User, client_for: SignedIn) -> None:
    source = Source.objects.create(name="Withdrawn", withdrawn_at="2026-01-01T00:00:00Z")

    response = client_for(lead).post(URL, files.posted(files.chatml(), new_source="", source=str(source.pk)))

    assert response.status_code == 422
    assert not Upload.objects.exists()


class MultipartBody(io.RawIOBase):
    """A form with its token and one file, made up while it is read."""

    def __init__(self, token: str, file_bytes: int) -> None:
        part = '--edge\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
        head = part.format("csrfmiddlewaretoken", "") + token + "\r\n"
        head += part.format("file", '; filename="large.jsonl"')
        self._rest = [b"\r\n--edge--\r\n", *[b"x" * MEGABYTE] * (file_bytes // MEGABYTE), head.encode()]
        self.size = sum(map(len, self._rest))

    def read(self, size: int = -1, /) -> bytes:
        if not self._rest:
            return b""
        piece = self._rest.pop()
        if len(piece) > size >= 0:
            self._rest.append(piece[size:])
        return piece[:size] if size >= 0 else piece


def test_two_hundred_megabytes_are_refused_and_never_kept(lead: User, client_for: SignedIn) -> None:
    client = client_for(lead)
    client.handler.enforce_csrf_checks = True
    body = MultipartBody(str(client.get(URL).context["csrf_token"]), 200 * MEGABYTE)
    environ: dict[str, Any] = {
        "wsgi.input": body,
        "CONTENT_LENGTH": str(body.size),
        "CONTENT_TYPE": "multipart/form-data; boundary=edge",
    }
    before = files.row_counts()

    tracemalloc.start()
    response = client.generic("POST", URL, **environ)
    most_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert response.status_code == 422
    page = response.content.decode()
    assert "This file has 201 MB; the page takes up to 32 MB." in page
    assert "`manage.py import_conversations PATH`, which has no limit." in page
    assert "Choose a file." not in page
    assert most_bytes < 16 * MEGABYTE
    assert files.row_counts() == before


def test_without_a_token_nothing_is_stored(lead: User, client_for: SignedIn) -> None:
    client = client_for(lead)
    client.handler.enforce_csrf_checks = True

    assert client.post(URL, files.posted(files.chatml())).status_code == 403
    assert not Upload.objects.exists()


def test_a_file_just_within_the_limit_stays_in_memory(
    lead: User, client_for: SignedIn, settings: Settings
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = "/nowhere"  # a handler that wrote to disk would fail here

    response = client_for(lead).post(URL, files.posted(files.chatml(count=30_000)))

    assert response.status_code == 302
    assert Upload.objects.get().size_bytes > 4 * 1024 * 1024
    assert ImportJob.objects.get().state == ImportState.PREVIEW
