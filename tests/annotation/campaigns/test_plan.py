"""The plan page: a design is checked, accepted, and followed when hours change or people rest."""

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.assignment.planning import revise_plan
from annotation.campaigns import services
from annotation.campaigns.design import Declared, changes_in_words, declared_of
from annotation.campaigns.plan_selectors import verdict_of
from annotation.models import (
    OPEN_STATES,
    Campaign,
    CampaignMember,
    CampaignState,
    DesignRole,
    PlanRevision,
)
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent, Action
from tests import people
from tests.annotation.worlds import label, make_campaign, qualify

ClientFor = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """An open campaign of 12 samples, read by pairs of three people."""
    third = people.make("third-annotator", Role.ANNOTATOR)
    return make_campaign(lead, [annotator, second_annotator, third], samples=12)


@pytest.fixture
def draft(campaign: Campaign) -> Campaign:
    """The same, before it was opened or planned."""
    campaign.assignments.all().delete()
    campaign.samples.update(design_role="")
    campaign.state = CampaignState.DRAFT
    campaign.save()
    return campaign


def posted(campaign: Campaign, **changes: Any) -> dict[str, Any]:
    values = vars(declared_of(campaign)) | changes
    return {name: "" if value is None else value for name, value in values.items()}


def tomorrow() -> str:
    return (timezone.localdate() + timedelta(days=1)).isoformat()


def page_of(client: Client, campaign: Campaign, **query: Any) -> str:
    response = client.get(reverse("annotation:plan", args=[campaign.slug]), query)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def accept(client: Client, campaign: Campaign, **changes: Any) -> Any:
    url = reverse("annotation:accept_plan", args=[campaign.slug])
    return client.post(url, posted(campaign, **changes))


def test_a_design_is_tried_without_being_saved(lead: User, campaign: Campaign, client_for: ClientFor) -> None:
    before = declared_of(campaign)
    page = page_of(client_for(lead), campaign, **posted(campaign, anchor_samples=3, due_on=tomorrow()))
    assert "Does this design fit?" in page
    assert "Accept this design" in page
    campaign.refresh_from_db()
    assert declared_of(campaign) == before


def test_what_does_not_fit_names_three_remedies(
    lead: User, campaign: Campaign, client_for: ClientFor
) -> None:
    page = page_of(
        client_for(lead), campaign, **posted(campaign, due_on=tomorrow(), expected_seconds_per_label=3000)
    )
    assert "It does not fit" in page
    for words in ("more clinician", "A date ", "One label only"):
        assert words in page
    assert "I accept this plan although it does not fit." in page


def test_an_accepted_design_changes_the_plan(lead: User, campaign: Campaign, client_for: ClientFor) -> None:
    accept(client_for(lead), campaign, anchor_samples=4, repeat_percent=0)
    assert campaign.samples.filter(design_role=DesignRole.OVERLAP).count() == 12  # a part once given stays
    accept(client_for(lead), campaign, labels_per_sample=3, repeat_percent=0)
    assert campaign.assignments.filter(state__in=OPEN_STATES).count() == 36
    newest = PlanRevision.objects.filter(campaign=campaign).latest("number")
    assert (newest.because, newest.made_by, newest.slots_added) == ("design declared", lead, 12)
    assert (
        AccessEvent.objects.filter(actor=lead, action=Action.CHANGED, object_id=str(campaign.pk)).count() == 2
    )


def test_what_does_not_fit_needs_a_tick(lead: User, campaign: Campaign, client_for: ClientFor) -> None:
    client = client_for(lead)
    misfit = {"due_on": tomorrow(), "expected_seconds_per_label": 3600}
    refused = accept(client, campaign, **misfit)
    assert refused.status_code == 422
    assert "The plan does not fit" in refused.content.decode()
    campaign.refresh_from_db()
    assert campaign.due_on is None
    assert accept(client, campaign, **misfit, accepts_misfit="on").status_code == 302
    campaign.refresh_from_db()
    assert campaign.due_on is not None


@pytest.mark.parametrize(
    "change",
    [
        {"labels_per_sample": 0},
        {"repeat_percent": 21},
        {"due_on": "2020-01-01"},
        {"expected_seconds_per_label": 0},
        {"training_samples": -1},
        {"single_label_percent": "nan"},
    ],
)
def test_a_design_out_of_range_changes_nothing(
    lead: User, campaign: Campaign, client_for: ClientFor, change: dict[str, Any]
) -> None:
    before = declared_of(campaign)
    assert accept(client_for(lead), campaign, **change).status_code == 422
    url = reverse("annotation:plan", args=[campaign.slug])
    assert client_for(lead).get(url, posted(campaign, **change)).status_code == 422
    campaign.refresh_from_db()
    assert declared_of(campaign) == before


def test_a_draft_keeps_its_design_for_later(lead: User, draft: Campaign, client_for: ClientFor) -> None:
    misfit = {"anchor_samples": 4, "due_on": tomorrow(), "expected_seconds_per_label": 3600}
    assert accept(client_for(lead), draft, **misfit, keep="1").status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.anchor_samples) == (CampaignState.DRAFT, 4)
    assert not draft.assignments.exists()


def test_accepting_opens_a_draft_and_plans_it(lead: User, draft: Campaign, client_for: ClientFor) -> None:
    design = {"training_samples": 1, "calibration_samples": 2, "anchor_samples": 3, "repeat_percent": 0}
    accept(client_for(lead), draft, **design)
    draft.refresh_from_db()
    assert draft.state == CampaignState.OPEN
    roles = [draft.samples.filter(design_role=role).count() for role in DesignRole.values]
    assert roles == [1, 2, 3, 6]
    assert draft.assignments.count() == 3 * 6 + 2 * 6


def test_a_draft_that_does_not_fit_is_opened_on_the_plan_page_only(
    lead: User, draft: Campaign, client_for: ClientFor
) -> None:
    draft.labels_per_sample = 4  # and three people
    draft.save()
    client = client_for(lead)
    url = reverse("annotation:change_campaign_state", args=[draft.slug])
    response = client.post(url, {"state": "open"}, follow=True)
    assert response.redirect_chain == [(reverse("annotation:plan", args=[draft.slug]), 302)]
    assert "The plan does not fit" in response.content.decode()
    assert "too few people" in response.content.decode()
    draft.refresh_from_db()
    assert draft.state == CampaignState.DRAFT
    assert accept(client, draft, accepts_misfit="on").status_code == 302
    draft.refresh_from_db()
    assert draft.state == CampaignState.OPEN
    assert PlanRevision.objects.filter(campaign=draft).latest("number").labels_short == 12


def test_a_closed_campaign_opens_again_without_another_check(lead: User, campaign: Campaign) -> None:
    campaign.labels_per_sample = 4
    campaign.save()
    for state in (CampaignState.CLOSED, CampaignState.OPEN):
        services.change_state(campaign=campaign, state=state, changed_by=lead)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.OPEN


def test_hours_are_declared_for_each_person(
    lead: User, annotator: User, campaign: Campaign, client_for: ClientFor
) -> None:
    members = {member.user_id: member for member in campaign.members.all()}
    own = members.pop(annotator.pk)
    fields = {f"hours_{member.pk}": 10 for member in members.values() if member.user_id != lead.pk}
    url = reverse("annotation:set_hours", args=[campaign.slug])
    client = client_for(lead)
    assert client.post(url, fields | {f"hours_{own.pk}": 2.5}).status_code == 302
    for wrong in ("0", "61", "", "nan"):
        page = client.post(url, fields | {f"hours_{own.pk}": wrong}, follow=True).content.decode()
        assert "Nothing was saved" in page
    own.refresh_from_db()
    assert own.hours_per_week == 2.5
    by_hours = {member.user_id: member.hours_per_week for member in verdict_of(campaign).members}
    assert by_hours[annotator.pk] == 2.5


def test_who_rests_loses_the_queue_and_gets_it_back(
    lead: User, annotator: User, campaign: Campaign, client_for: ClientFor
) -> None:
    client = client_for(lead)
    label(campaign, annotator, campaign.assignments.filter(annotator=annotator)[0].sample.number)
    member = CampaignMember.objects.get(campaign=campaign, user=annotator)
    url = reverse("annotation:pause_member", args=[campaign.slug])
    for _ in range(2):  # pressed twice, done once
        client.post(url, {"member": member.pk})
    own = campaign.assignments.filter(annotator=annotator)
    assert not own.filter(state__in=OPEN_STATES).exists()
    assert own.filter(state="labelled").count() == 1
    assert f"{annotator.code} paused" in page_of(client, campaign)
    assert PlanRevision.objects.filter(because=f"{annotator.code} paused").count() == 1
    client.post(reverse("annotation:resume_member", args=[campaign.slug]), {"member": member.pk})
    assert own.filter(state__in=OPEN_STATES).count() > 1
    member.refresh_from_db()
    assert member.paused_at is None


def test_a_member_of_another_campaign_cannot_be_paused(
    lead: User, annotator: User, campaign: Campaign, client_for: ClientFor
) -> None:
    other = make_campaign(lead, [annotator], slug="other", labels_per_sample=1)
    foreign = other.members.get(user=annotator)
    url = reverse("annotation:pause_member", args=[campaign.slug])
    for posted_member in ({"member": foreign.pk}, {"member": "x"}, {}):
        page = client_for(lead).post(url, posted_member, follow=True).content.decode()
        assert "This person is not in the campaign" in page
    foreign.refresh_from_db()
    assert foreign.paused_at is None


def test_the_page_shows_the_stored_plan(lead: User, campaign: Campaign, client_for: ClientFor) -> None:
    page = page_of(client_for(lead), campaign)
    assert "What the plan still holds for everybody" in page
    assert "Overlap samples that each pair shares: 4 to 4" in page
    for member in verdict_of(campaign).members:
        assert page.count(member.user.code) > 3
    assert "This design is in force." in page


def test_what_is_labelled_is_no_longer_asked_of_anybody(
    lead: User, annotator: User, campaign: Campaign
) -> None:
    before = verdict_of(campaign).found.blind_labels
    for slot in campaign.assignments.filter(annotator=annotator, repeat_number=0)[:4]:
        label(campaign, annotator, slot.sample.number)
    assert before == 24
    assert verdict_of(campaign).found.blind_labels == 20


def test_samples_of_a_withdrawn_source_are_not_planned(lead: User, campaign: Campaign) -> None:
    source = campaign.samples.all()[0].conversation.source
    source.withdrawn_at = timezone.now()
    source.save()
    assert verdict_of(campaign).found.blind_labels == 0


def test_the_history_says_what_changed_and_why(lead: User, campaign: Campaign, client_for: ClientFor) -> None:
    client = client_for(lead)
    accept(client, campaign, labels_per_sample=3)
    page = page_of(client, campaign)
    assert "labels per sample: 2 → 3" in page
    assert f"design declared ({lead.code})" in " ".join(page.replace('<span class="muted">', "").split())


def test_changes_name_numbers_people_and_hours() -> None:
    before = {"anchors": 0, "due_on": None, "repeat_percent": 4.0}
    after = {"anchors": 500, "due_on": "2026-12-24", "repeat_percent": 4.0}
    words = changes_in_words(before, after, {"A1": 10.0, "A2": 5.0}, {"A2": 7.5, "A3": 10.0})
    assert words == [
        "anchor samples: 0 → 500",
        "due date: none → 2026-12-24",
        "A3 came",
        "A1 left or paused",
        "A2: 5 → 7.5 hours a week",
    ]


def test_queries_do_not_grow_with_people_or_samples(
    lead: User, campaign: Campaign, client_for: ClientFor, django_assert_max_num_queries: Any
) -> None:
    more = [people.make(f"more-{number}", Role.ANNOTATOR) for number in range(6)]
    qualify(campaign, *more)
    services.set_members(campaign=campaign, user_ids=[one.pk for one in more], changed_by=lead)
    client = client_for(lead)
    with django_assert_max_num_queries(30):
        page_of(client, campaign)


def test_the_plan_follows_a_design_that_is_declared_before_people_come(lead: User, draft: Campaign) -> None:
    design = Declared(**(vars(declared_of(draft)) | {"labels_per_sample": 1}))
    services.accept_plan(campaign=draft, design=design, accepted_by=lead, accepts_misfit=False)
    assert revise_plan(campaign=draft, because="again") is None
