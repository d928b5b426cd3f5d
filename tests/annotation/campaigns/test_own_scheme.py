"""A lead makes a campaign that asks questions of its own, through the pages only."""

import html
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.campaigns import services
from annotation.campaigns.design import declared_of
from annotation.intake.services import take_in_import
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignState,
    GuidelineVersion,
    Label,
    SchemeVersion,
)
from annotation.schemes.definition import parse_scheme
from annotation.schemes.from_text import scheme_from_text
from annotation.schemes.shipped import default_scheme
from prometheus_site.accounts.models import User
from tests.annotation.worlds import make_conversations

ClientFor = Callable[[User], Client]
FORM = {"name": "Stance", "slug": "stance", "labels_per_sample": "2", "asks": "own"}
CREATE = "annotation:create_campaign"


@pytest.fixture
def client(lead: User, client_for: ClientFor) -> Client:
    return client_for(lead)


def example(client: Client, name: str) -> str:
    return client.get(reverse(f"annotation:example_{name}")).content.decode()


def own(client: Client, **changes: object) -> dict[str, object]:
    texts = {"scheme_text": example(client, "scheme"), "guideline_text": example(client, "guideline")}
    return FORM | texts | {"guideline_version": "1.0"} | changes


def hidden_fields(page: Any) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?', page.content.decode())
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def nothing_is_stored() -> bool:
    return not (
        Campaign.objects.exists() or SchemeVersion.objects.exists() or GuidelineVersion.objects.exists()
    )


def test_the_example_has_two_nominal_questions_one_of_them_conditional(client: Client) -> None:
    scheme = scheme_from_text(example(client, "scheme")).scheme
    assert [dimension.scale for dimension in scheme.dimensions] == ["nominal", "nominal"]
    assert [dimension.shown_when is not None for dimension in scheme.dimensions] == [False, True]


def test_files_are_previewed_then_stored(client: Client, lead: User) -> None:
    scheme, guideline = example(client, "scheme"), example(client, "guideline")
    files = {
        "scheme_file": SimpleUploadedFile("scheme.yaml", scheme.encode()),
        "guideline_file": SimpleUploadedFile("guideline.md", guideline.encode()),
    }
    shown = client.post(reverse(CREATE), FORM | {"guideline_version": "1.0"} | files)
    page = shown.content.decode()
    assert shown.status_code == 200
    assert nothing_is_stored()
    for words in ("Main stance", "Imposed", "Asked when “Main stance” is Advises or Explains.", "R3"):
        assert words in page
    made = client.post(reverse(CREATE), hidden_fields(shown) | {"action": "make"})
    assert made.status_code == 302
    campaign = Campaign.objects.get(slug="stance")
    assert parse_scheme(campaign.scheme.definition) == scheme_from_text(scheme).scheme
    assert campaign.guideline.body == guideline
    assert campaign.scheme.created_by == lead


def test_going_back_keeps_what_was_filled_in(client: Client) -> None:
    shown = client.post(reverse(CREATE), own(client))
    back = client.post(reverse(CREATE), hidden_fields(shown) | {"action": "change"}).content.decode()
    assert "Go on to the preview" in back
    assert html.escape("key: stance_and_advice") in back
    assert nothing_is_stored()


def test_all_faults_of_a_scheme_are_shown_at_once(client: Client) -> None:
    broken = (
        example(client, "scheme").replace("title: Main stance", "titel: x").replace("advises, e", "advice, e")
    )
    response = client.post(reverse(CREATE), own(client, scheme_text=broken, guideline_text="", name=""))
    page = html.unescape(response.content.decode())
    assert response.status_code == 422
    for words in (
        "forms[0].dimensions[0].title: is missing",
        "forms[0].dimensions[0].titel: unknown key; known here",
        "forms[1].dimensions[0].shown_when.is_one_of: 'advice' is not a code of 'stance'",
        "A guideline of your own needs a version and a text",
        "This field is required",
    ):
        assert words in page
    assert nothing_is_stored()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scheme_text": "key: a: b"}, "Line 1, column 7"),
        ({"scheme_text": ""}, "Start from the example"),
        ({"guideline_text": "", "guideline_version": ""}, "No guideline is stored for this scheme"),
        ({"guideline_text": "## R1 A\n\n## R1 B"}, "R1 appears twice"),
        ({"scheme_file": SimpleUploadedFile("s.yaml", b"\xff")}, "not UTF-8"),
        ({"scheme_file": SimpleUploadedFile("s.yaml", b"#" * 262_145)}, "more than 256 KB"),
    ],
)
def test_what_is_at_fault_says_what_to_do(client: Client, changes: dict[str, object], words: str) -> None:
    for action in ("preview", "make"):
        response = client.post(reverse(CREATE), own(client, action=action, **changes))
        assert response.status_code == 422
        assert words in html.unescape(response.content.decode())
        if file := changes.get("scheme_file"):
            assert isinstance(file, SimpleUploadedFile)
            file.seek(0)
    assert nothing_is_stored()


def test_a_version_with_other_content_is_refused_in_the_preview(client: Client, lead: User) -> None:
    services.create_campaign(name="First", slug="first", created_by=lead)
    changed = default_scheme() | {"title": "Something else"}
    posted = own(client, scheme_text=json.dumps(changed), guideline_text="", guideline_version="")
    response = client.post(reverse(CREATE), posted)
    assert response.status_code == 422
    assert "give this one a new version" in response.content.decode()


def test_a_stored_scheme_is_offered_with_its_newest_guideline(client: Client) -> None:
    client.post(reverse(CREATE), own(client, action="make"))
    stored = SchemeVersion.objects.get()
    second = FORM | {"slug": "second", "asks": str(stored.pk), "action": "make"}
    newer = second | {"guideline_version": "1.1", "guideline_text": "## R1 Newer"}
    assert "Stance and advice 1.0" in client.get(reverse(CREATE)).content.decode()
    assert client.post(reverse(CREATE), newer).status_code == 302
    assert client.post(reverse(CREATE), second | {"slug": "third"}).status_code == 302
    third = Campaign.objects.get(slug="third")
    assert third.scheme == stored
    assert third.guideline.version == "1.1"


def test_a_taken_address_is_named_before_anything_is_made(client: Client) -> None:
    client.post(reverse(CREATE), own(client, action="make"))
    response = client.post(reverse(CREATE), own(client))
    assert response.status_code == 422
    assert "is taken by another campaign" in response.content.decode()


@pytest.fixture
def stance(client: Client, annotator: User, second_annotator: User) -> Campaign:
    """A campaign with a scheme of its own, made, filled and opened through pages."""
    client.post(reverse(CREATE), own(client, action="make"))
    job = make_conversations(3)[0].import_job
    take_in_import(job=job, campaign_slug="stance")
    members = {"members": [str(annotator.pk), str(second_annotator.pk)]}
    client.post(reverse("annotation:change_members", args=["stance"]), members)
    campaign = Campaign.objects.get(slug="stance")
    client.post(reverse("annotation:accept_plan", args=["stance"]), without_none(vars(declared_of(campaign))))
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.OPEN
    return campaign


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({"stance": "advises", "advice_fit": "offered"}, 302),
        ({"stance": "listens"}, 302),
        ({"stance": "advises"}, 422),  # the conditional question applies and needs an answer
        ({"stance": "listens", "advice_fit": "offered"}, 422),  # it does not apply
        ({"crisis_intensity": "0"}, 422),  # a question of another scheme
    ],
)
def test_clinicians_label_by_a_scheme_of_its_own(
    stance: Campaign, annotator: User, client_for: ClientFor, answers: dict[str, str], status: int
) -> None:
    client = client_for(annotator)
    client.post(reverse("annotation:fetch_next", args=["stance"]))
    page = client.get(reverse("annotation:workbench", args=["stance"])).content.decode()
    assert "How the advice is given" in page
    assert "crisis" not in page.lower()
    slot = Assignment.objects.get(annotator=annotator, state=AssignmentState.LEASED)
    fields = {f"answer-{key}": code for key, code in answers.items()}
    sent = fields | {"key": str(uuid.uuid4()), "guideline": str(stance.guideline_id), "action": "save"}
    url = reverse("annotation:save_label", args=["stance", slot.pk])
    assert client.post(url, sent).status_code == status
    assert [label.answers for label in Label.objects.all()] == ([answers] if status == 302 else [])


def test_its_dashboard_claims_no_figure_that_nobody_asked_for(client: Client, stance: Campaign) -> None:
    page = client.get(reverse("annotation:dashboard", args=[stance.slug])).content.decode()
    severe = page[page.index("Severe (crisis intensity") :]
    assert "NOT MEASURED" in severe[: severe.index("</div>")]
