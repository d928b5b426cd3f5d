"""A CV comes in judged by its content, stays sealed, and goes out as a file that no browser runs."""

import tracemalloc
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.models import Campaign, CurriculumVitae
from annotation.recruitment import services
from annotation.recruitment.cv_files import LIMIT_BYTES, CvKind, kind_of
from annotation.recruitment.stages import Stage
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from tests.annotation.recruitment.applying import PDF, Stranger, applied, cv, docx

MEGABYTE = 1024 * 1024
WORD = docx("[Content_Types].xml", "word/document.xml")
HTML = b"<!DOCTYPE html><script>alert(document.cookie)</script>"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, CvKind.PDF),
        (WORD, CvKind.DOCX),
        (HTML, None),
        (b" " + PDF, None),
        (b"%PDF-1.7 cut off", None),
        (HTML + PDF, None),
        (docx("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), None),
        (docx("evil.html"), None),
        (b"PK\x03\x04 broken", None),
        (WORD[:40], None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_content_is(content: bytes, kind: CvKind | None) -> None:
    assert kind_of(content) is kind


def test_html_named_pdf_is_refused_and_the_form_stays(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    response = mara.post("send", file=cv(HTML, "cv.pdf"))
    assert response.status_code == 422
    assert "neither a PDF nor a Word file" in response.content.decode()
    assert not CurriculumVitae.objects.exists()
    assert 'value="Mara Licht"' in mara.client.get(mara.page).content.decode()


def test_a_50_mb_file_is_refused_without_being_held(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    huge = SimpleUploadedFile("cv.pdf", PDF + bytes(50 * MEGABYTE), content_type="application/pdf")
    response = mara.post("send", file=huge)
    page = response.content.decode()
    assert response.status_code == 422
    assert "This file has 50 MB; a CV may have up to 5 MB." in page
    assert not CurriculumVitae.objects.exists()
    assert 'value="Mara Licht"' in mara.client.get(mara.page).content.decode()


def test_a_large_file_passes_through_in_pieces() -> None:
    from django.test import RequestFactory

    from annotation.recruitment.upload_handler import CvUploadHandler

    handler = CvUploadHandler(RequestFactory().post("/"))
    handler.new_file("cv", "cv.pdf", "application/pdf", 0)
    piece = bytes(64 * 1024)
    tracemalloc.start()
    for number in range(800):  # 50 MB
        handler.receive_data_chunk(piece, number * len(piece))
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * LIMIT_BYTES
    assert held < MEGABYTE
    arrived = handler.file_complete(800 * len(piece))
    assert arrived.size == 800 * len(piece)
    assert arrived.read() == b""


@pytest.mark.parametrize("size", [LIMIT_BYTES, LIMIT_BYTES + 1])
def test_the_limit_is_the_limit(campaign: Campaign, size: int) -> None:
    mara = Stranger(campaign).begin()
    content = b"%PDF-1.7" + bytes(size - 13) + b"%%EOF"
    assert mara.post("send", file=cv(content)).status_code == (302 if size == LIMIT_BYTES else 422)


def test_a_form_with_many_files_stores_one(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    version = str(mara.application.draft_version)
    data = {"action": "save", "draft_version": version, "cv": [cv(), cv(WORD)], "other": cv(WORD)}
    mara.client.post(mara.page, data)
    assert CurriculumVitae.objects.get().kind == CvKind.PDF


def test_another_cv_takes_the_place_of_the_first_until_it_is_sent(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    mara.post("save", file=cv())
    mara.post("send", file=cv(WORD, "new.docx"))
    assert CurriculumVitae.objects.get().kind == CvKind.DOCX
    with pytest.raises(services.AlreadySentError):
        services.store_cv(application=mara.application, kind=CvKind.PDF, content=PDF)


def test_without_a_cv_nothing_is_sent(campaign: Campaign) -> None:
    response = Stranger(campaign).begin().post("send")
    assert response.status_code == 422
    assert "Choose your CV" in response.content.decode()


def test_the_upload_is_guarded_against_forged_requests(campaign: Campaign) -> None:
    mara = Stranger(campaign).begin()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = mara.client.cookies
    response = strict.post(mara.page, {"action": "save", "draft_version": "0", "name": "Forged"})
    assert response.status_code == 403
    assert "Forged" not in mara.client.get(mara.page).content.decode()


def test_the_lead_takes_it_as_a_file_and_that_is_on_record(
    campaign: Campaign, lead: User, annotator: User, client_for: Callable[[User], Client]
) -> None:
    application = applied(campaign).application
    address = reverse("annotation:download_cv", args=[campaign.slug, application.pk])
    response = client_for(lead).get(address)
    assert response.content == PDF
    assert response["Content-Disposition"] == f'attachment; filename="{application.code}.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in response["Cache-Control"]
    assert (
        AccessEvent.objects.filter(object_type="cv", object_id=str(application.pk), actor=lead).count() == 1
    )
    assert client_for(annotator).get(address).status_code == 404


def test_a_form_in_the_making_is_not_the_leads_to_read(
    campaign: Campaign, lead: User, client_for: Callable[[User], Client]
) -> None:
    mara = Stranger(campaign).begin()
    mara.post("save", file=cv())
    application = mara.application
    assert application.stage == Stage.STARTED
    for name in ("annotation:applicant", "annotation:download_cv"):
        address = reverse(name, args=[campaign.slug, application.pk])
        assert client_for(lead).get(address).status_code == 404
