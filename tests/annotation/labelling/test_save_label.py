"""Saving a label over HTTP: stored once, by that clinician, or a clear refusal."""

import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.assignment.queue import assign_next
from annotation.guidelines.services import store_guideline
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Label
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent, ChainEntry
from prometheus_site.core.sealing import open_text
from tests.annotation.worlds import GOOD_ANSWERS, label, make_campaign

ClientFor = Callable[[User], Client]


def url(campaign: Campaign, assignment: Assignment) -> str:
    return reverse("annotation:save_label", args=[campaign.slug, assignment.pk])


def posted(campaign: Campaign, **changes: object) -> dict[str, object]:
    answers = {f"answer-{key}": value for key, value in GOOD_ANSWERS.items()}
    return answers | {"key": str(uuid.uuid4()), "guideline": str(campaign.guideline_id)} | changes


def test_works(campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor) -> None:
    data = posted(campaign, note="a private thought", active_seconds="31")
    response = client_for(annotator).post(url(campaign, assignment), data)
    assert response.status_code == 302
    stored = Label.objects.get()
    assert stored.answers["crisis_intensity"] == "0"
    assert stored.guideline_id == campaign.guideline_id
    assert stored.active_seconds == 31
    assert stored.note is not None
    assert open_text(stored.note) == "a private thought"
    assignment.refresh_from_db()
    assert assignment.state == AssignmentState.LABELLED
    assert ChainEntry.objects.get(chain=annotator).object_id == stored.pk


def test_goes_on_to_the_next_sample(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    client.post(url(campaign, assignment), posted(campaign))
    following = Assignment.objects.get(annotator=annotator, state=AssignmentState.LEASED)
    page = client.get(reverse("annotation:workbench", args=[campaign.slug])).content.decode()
    assert f"Sample {following.sample.number}" in page
    assert "Saved " in page


def test_the_next_sample_starts_empty_and_with_a_key_of_its_own(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    data = posted(campaign, note="about the first sample")
    page = client_for(annotator).post(url(campaign, assignment), data, follow=True).content.decode()
    assert f"Sample {assignment.sample.number}<" not in page
    assert str(data["key"]) not in page
    assert "about the first sample" not in page
    assert not re.search(r'<input[^>]*name="answer-[^>]* checked', page)


def test_a_save_by_htmx_is_a_plain_save(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    """The page's script speaks to the API; a form is answered in one way only."""
    response = client_for(annotator).post(
        url(campaign, assignment), posted(campaign), headers={"HX-Request": "true"}
    )
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("annotation:workbench", args=[campaign.slug])


def test_three_identical_submits_make_one_label(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client, data = client_for(annotator), posted(campaign)
    codes = [client.post(url(campaign, assignment), data).status_code for _ in range(3)]
    assert codes == [302, 302, 302]
    assert Label.objects.count() == 1
    assert ChainEntry.objects.count() == 1


def test_same_key_with_other_content_is_a_conflict(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client, data = client_for(annotator), posted(campaign)
    client.post(url(campaign, assignment), data)
    response = client.post(url(campaign, assignment), data | {"answer-crisis_intensity": "5"})
    assert response.status_code == 409
    assert Label.objects.get().answers["crisis_intensity"] == "0"


def test_a_second_label_of_the_same_sample_is_a_conflict(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    client.post(url(campaign, assignment), posted(campaign))
    assert client.post(url(campaign, assignment), posted(campaign)).status_code == 409
    assert Label.objects.count() == 1


def test_missing_answers_are_named_and_the_rest_is_kept(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    data = posted(campaign, note="typed already")
    del data["answer-crisis_intensity"]
    response = client_for(annotator).post(url(campaign, assignment), data)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Choose a crisis intensity, 0 to 5." in page
    assert "typed already" in page
    assert f'value="{data["key"]}"' in page
    assert not Label.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("answer-crisis_intensity", "9"),
        ("answer-no_such_question", "1"),
        ("key", "not-a-uuid"),
        ("guideline", "00000000-0000-4000-8000-000000000000"),
        ("active_seconds", "-4"),
        ("note", "x" * 5000),
    ],
)
def test_bad_input_stores_nothing(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    client_for: ClientFor,
    field: str,
    value: str,
) -> None:
    response = client_for(annotator).post(url(campaign, assignment), posted(campaign, **{field: value}))
    assert response.status_code == 422
    assert not Label.objects.exists()


def test_closed_campaign_takes_no_label(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    campaign.state = CampaignState.CLOSED
    campaign.save()
    response = client_for(annotator).post(url(campaign, assignment), posted(campaign))
    assert response.status_code == 409
    assert "The campaign is closed" in response.content.decode()
    assert not Label.objects.exists()


def test_expired_lease_still_saves(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    Assignment.objects.filter(pk=assignment.pk).update(
        state=AssignmentState.WAITING, lease_id=None, leased_until=None
    )
    assert client_for(annotator).post(url(campaign, assignment), posted(campaign)).status_code == 302
    assert Label.objects.count() == 1


def test_nobody_else_can_save_it(
    campaign: Campaign,
    assignment: Assignment,
    second_annotator: User,
    lead: User,
    adjudicator: User,
    outsider: User,
    client_for: ClientFor,
) -> None:
    for person in (second_annotator, lead, adjudicator, outsider):
        assert client_for(person).post(url(campaign, assignment), posted(campaign)).status_code == 404
    assert not Label.objects.exists()


def test_other_campaign_is_not_found(
    campaign: Campaign, assignment: Assignment, lead: User, annotator: User, client_for: ClientFor
) -> None:
    other = make_campaign(lead, [], slug="other")
    assert client_for(annotator).post(url(other, assignment), posted(other)).status_code == 404


def test_get_is_not_allowed(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    assert client_for(annotator).get(url(campaign, assignment)).status_code == 405


def test_reading_a_sample_is_written_down_and_changes_nothing(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    before = Assignment.objects.filter(pk=assignment.pk).values().get()
    client_for(annotator).get(reverse("annotation:workbench", args=[campaign.slug]))
    assert Assignment.objects.filter(pk=assignment.pk).values().get() == before
    event = AccessEvent.objects.filter(actor=annotator, object_type="sample").get()
    assert event.object_id == str(assignment.sample_id)


def test_conditional_answer_that_does_not_apply_is_refused(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    data = posted(campaign, **{"answer-crisis_types": ["suicide"]})
    response = client_for(annotator).post(url(campaign, assignment), data)
    assert response.status_code == 422
    assert not Label.objects.exists()


def test_query_count_does_not_grow_with_the_campaign(
    lead: User,
    annotator: User,
    second_annotator: User,
    client_for: ClientFor,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=40, slug="forty")
    for number in range(1, 20):
        label(campaign, annotator, number)
    current = assign_next(campaign=campaign, annotator=annotator)
    assert current is not None
    client = client_for(annotator)
    with django_assert_max_num_queries(45):  # type: ignore[attr-defined]
        client.post(url(campaign, current), posted(campaign))


# --- The guideline that was on the screen ------------------------------------------------------------------
def test_a_guideline_that_was_current_here_is_taken(
    campaign: Campaign, assignment: Assignment, annotator: User, lead: User, client_for: ClientFor
) -> None:
    """The lead published a newer one while the sample was on the screen."""
    shown, data = campaign.guideline, posted(campaign)
    publish_guideline(campaign, lead, "1.1")
    assert client_for(annotator).post(url(campaign, assignment), data).status_code == 302
    assert Label.objects.get().guideline == shown


def test_the_newer_guideline_is_taken_too(
    campaign: Campaign, assignment: Assignment, annotator: User, lead: User, client_for: ClientFor
) -> None:
    publish_guideline(campaign, lead, "1.1")
    client_for(annotator).post(url(campaign, assignment), posted(campaign))
    assert Label.objects.get().guideline.version == "1.1"


def test_a_guideline_of_another_campaign_is_refused(
    campaign: Campaign, assignment: Assignment, annotator: User, lead: User, client_for: ClientFor
) -> None:
    """It explains the same scheme, and was never on the screen here."""
    other = make_campaign(lead, [], slug="other")
    publish_guideline(other, lead, "2.0")
    data = posted(campaign, guideline=str(other.guideline_id), note="typed already")
    response = client_for(annotator).post(url(campaign, assignment), data)
    assert response.status_code == 422
    assert "names a guideline that does not belong here" in response.content.decode()
    assert "typed already" in response.content.decode()
    assert not Label.objects.exists()


def publish_guideline(campaign: Campaign, lead: User, version: str) -> None:
    campaign.guideline = store_guideline(
        scheme_key=campaign.scheme.key, version=version, body="## C1 Another clause", created_by=lead
    )
    campaign.save()
