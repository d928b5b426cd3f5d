"""A guideline gets a new version: shown from then on, while old labels keep the old one."""

import uuid
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.guidelines.services import GuidelineRefusedError, change_guideline, store_guideline
from annotation.labelling.services import LabelNotRecordedError
from annotation.models import GuidelineVersion, Label
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent, Action
from tests.annotation.worlds import label, make_campaign

ClientFor = Callable[[User], Client]
BODY = "# Guideline 1.1\n\n## C1 A clause\n\nNewer words.\n"


def test_a_guideline_version_never_changes(lead: User) -> None:
    store_guideline(scheme_key="one", version="1.0", body="## C1 A clause", created_by=lead)
    with pytest.raises(GuidelineRefusedError, match="Versions never change"):
        store_guideline(scheme_key="one", version="1.0", body="## C1 Another", created_by=lead)


def test_a_clause_code_used_twice_is_refused(lead: User) -> None:
    with pytest.raises(GuidelineRefusedError, match="C1 appears twice"):
        store_guideline(scheme_key="one", version="1.0", body="## C1 A\n\n## C1 B", created_by=lead)


def test_a_lead_puts_a_new_version_in_force(lead: User, annotator: User, client_for: ClientFor) -> None:
    campaign = make_campaign(lead, [annotator])
    before = campaign.guideline
    url = reverse("annotation:change_guideline", args=[campaign.slug])
    file = SimpleUploadedFile("guideline.md", BODY.replace("\n", "\r\n").encode("utf-8-sig"))
    posted = {"guideline_version": "1.1", "guideline_file": file, "guideline_text": before.body}
    assert client_for(lead).post(url, posted).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.guideline.version, campaign.guideline.body) == ("1.1", BODY)
    assert GuidelineVersion.objects.filter(pk=before.pk, body=before.body).exists()
    page = client_for(annotator).get(reverse("annotation:guideline", args=[campaign.slug])).content.decode()
    assert "Newer words." in page
    assert AccessEvent.objects.filter(
        actor=lead, action=Action.CHANGED, object_type="campaign", object_id=str(campaign.pk)
    ).exists()


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"guideline_version": "1.0", "guideline_text": BODY}, "Versions never change"),
        ({"guideline_version": "1.1", "guideline_text": "## C1 A\n## C1 B"}, "C1 appears twice"),
        ({"guideline_version": "1.1", "guideline_text": " "}, "Choose a file or write the guideline"),
        ({"guideline_version": "", "guideline_text": BODY}, "This field is required"),
        ({"guideline_version": "1.1", "guideline_text": "a\x00b"}, "Null characters"),
        ({"guideline_version": "1.1", "guideline_text": "a" * (256 * 1024 + 1)}, "more than 256 KB"),
    ],
)
def test_what_cannot_be_a_version_changes_nothing(
    lead: User, annotator: User, client_for: ClientFor, posted: dict[str, str], words: str
) -> None:
    campaign = make_campaign(lead, [annotator])
    url = reverse("annotation:change_guideline", args=[campaign.slug])
    response = client_for(lead).post(url, posted)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert GuidelineVersion.objects.get() == campaign.guideline


@pytest.mark.parametrize(("content", "words"), [(b"\xff\xfe#", "not UTF-8"), (b"a\x00b", "binary file")])
def test_a_file_that_is_no_text_is_refused(
    lead: User, annotator: User, client_for: ClientFor, content: bytes, words: str
) -> None:
    campaign = make_campaign(lead, [annotator])
    url = reverse("annotation:change_guideline", args=[campaign.slug])
    posted = {"guideline_version": "1.1", "guideline_file": SimpleUploadedFile("g.md", content)}
    response = client_for(lead).post(url, posted)
    assert response.status_code == 422
    assert words in response.content.decode()


def test_the_version_in_force_is_not_put_in_force_again(lead: User, annotator: User) -> None:
    campaign = make_campaign(lead, [annotator])
    standing = campaign.guideline
    with pytest.raises(GuidelineRefusedError, match="in force already"):
        change_guideline(campaign=campaign, version=standing.version, body=standing.body, changed_by=lead)


def test_each_label_names_the_version_that_was_on_the_screen(
    lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator])
    old = campaign.guideline
    first = label(campaign, annotator, 1)
    new = change_guideline(campaign=campaign, version="1.1", body=BODY, changed_by=lead)
    # The page was opened before the change and saved after it.
    second = label(campaign, annotator, 2, guideline_id=old.pk)
    third = label(campaign, annotator, 3, guideline_id=new.pk)
    stored = Label.objects.in_bulk([first.pk, second.pk, third.pk])
    assert [stored[one.pk].guideline_id for one in (first, second, third)] == [old.pk, old.pk, new.pk]


def test_a_version_that_was_never_in_force_here_is_refused(lead: User, annotator: User) -> None:
    campaign = make_campaign(lead, [annotator], labels_per_sample=1)
    elsewhere = store_guideline(
        scheme_key=campaign.scheme.key, version="9", body="## C1 Elsewhere", created_by=lead
    )
    for guideline_id in (elsewhere.pk, uuid.uuid4()):
        with pytest.raises(LabelNotRecordedError, match="names a guideline that does not belong here"):
            label(campaign, annotator, 1, guideline_id=guideline_id)
    assert not Label.objects.exists()


def test_the_page_shows_no_raw_html(lead: User, annotator: User, client_for: ClientFor) -> None:
    campaign = make_campaign(lead, [annotator])
    body = "## C1 A clause\n\n<script>alert(1)</script>"
    change_guideline(campaign=campaign, version="2.0", body=body, changed_by=lead)
    page = client_for(annotator).get(reverse("annotation:guideline", args=[campaign.slug])).content.decode()
    assert "C1 A clause" in page
    assert "<script>alert" not in page
