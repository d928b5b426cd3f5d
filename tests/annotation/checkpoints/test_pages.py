"""The pages of the checkpoints: for leads of the campaign who do not label in it, and looking is recorded."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.campaigns.services import change_state
from annotation.checkpoints.freezing import freeze_due_looks
from annotation.checkpoints.report_file import canonical, digest_of
from annotation.checkpoints.selectors import content_of
from annotation.checkpoints.services import look_after_looks, sign_reports
from annotation.models import (
    Campaign,
    CampaignMember,
    CampaignState,
    CheckpointReport,
    DeclaredLook,
    EndRequest,
    LabelsOpened,
)
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit import signing
from prometheus_site.audit.models import AccessEvent
from tests import people
from tests.annotation.checkpoints.labelled import agreeing, label_samples, make_declared_campaign
from tests.annotation.checkpoints.test_declare import add_samples
from tests.annotation.worlds import make_campaign

SignIn = Callable[[User], Client]
GETS = ("checkpoints", "checkpoint_report", "download_checkpoint_report")
POSTS = ("declare_looks", "ask_for_end")


@pytest.fixture
def reported(campaign: Campaign) -> Campaign:
    """A campaign that was looked at to its end."""
    label_samples(campaign, range(1, 7), agreeing(0.9))
    freeze_due_looks(campaign)
    sign_reports()
    return campaign


def address(name: str, slug: str = "looked-at", number: int = 1) -> str:
    numbered = name in ("checkpoint_report", "download_checkpoint_report")
    return reverse(f"annotation:{name}", args=[slug, number] if numbered else [slug])


def test_the_list_says_what_is_declared_reached_and_next(
    long_campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    page = address("checkpoints", "long")
    html = client_for(lead).get(page).content.decode()
    assert "Next look: 200 overlap items" in html
    assert "NOT MEASURED" in html
    label_samples(long_campaign, range(1, 202), agreeing(0.9, empathy_global=0.4))
    assert "Report being made" in client_for(lead).get(page).content.decode()
    freeze_due_looks(long_campaign)
    html = client_for(lead).get(page).content.decode()
    assert "Next look: the end, 204 overlap items" in html
    assert "Empathy overall: not met" in html
    assert f'href="{address("checkpoint_report", "long")}"' in html


def test_a_campaign_without_looks_says_why(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    made = make_campaign(lead, [annotator, second_annotator], slug="looked-at")
    client, page = client_for(lead), address("checkpoints")
    assert "within a minute" in client.get(page).content.decode()
    Campaign.objects.filter(pk=made.pk).update(state=CampaignState.DRAFT)
    assert "when the campaign opens" in client.get(page).content.decode()
    alone = make_campaign(lead, [annotator], slug="alone", labels_per_sample=1)
    assert look_after_looks() == 0
    assert (
        "no sample that two people label" in client.get(address("checkpoints", alone.slug)).content.decode()
    )


def test_the_report_is_shown_as_it_was_frozen(reported: Campaign, lead: User, client_for: SignIn) -> None:
    [report] = reported.checkpoint_reports.all()
    html = client_for(lead).get(address("checkpoint_report")).content.decode()
    content = content_of(report)
    for paragraph in content["methods"]:
        assert paragraph.replace("'", "&#x27;") in html
    for found in content["dimensions"]:
        assert found["label_table"]["sha256"] in html
    for words in (
        report.digest,
        report.signed.signature,
        signing.key_fingerprint(),
        "collecting",
        "Undecided",
    ):
        assert words in html
    for rater in content["design"]["raters"]:
        assert rater in html
        person = User.objects.get(code=rater)
        assert person.display_name not in html.replace(lead.display_name, "")


def test_the_file_is_what_was_signed_and_verifies(
    reported: Campaign, lead: User, client_for: SignIn, tmp_path: Path
) -> None:
    response = client_for(lead).get(address("download_checkpoint_report"))
    assert response["Content-Disposition"] == 'attachment; filename="looked-at-checkpoint-1.json"'
    found = json.loads(response.content)
    [report] = reported.checkpoint_reports.all()
    assert digest_of(canonical(found["report"])) == report.digest == found["signature"]["digest"]
    file = tmp_path / "report.json"
    file.write_bytes(response.content)
    call_command("verify_report", str(file))


def test_a_report_that_waits_for_its_signature_says_so(
    campaign: Campaign, lead: User, client_for: SignIn
) -> None:
    label_samples(campaign, range(1, 7), agreeing(0.9))
    freeze_due_looks(campaign)
    client = client_for(lead)
    assert "Being signed" in client.get(address("checkpoint_report")).content.decode()
    assert client.get(address("download_checkpoint_report")).status_code == 404


def test_a_rehearsal_says_so_on_every_page_and_in_the_name_of_a_file(lead: User, client_for: SignIn) -> None:
    made = [people.make(f"made-{n}", Role.ANNOTATOR) for n in (1, 2)]
    User.objects.filter(pk__in=[one.pk for one in made]).update(is_simulated=True)
    campaign = make_declared_campaign(
        lead, list(User.objects.filter(is_simulated=True)), samples=6, is_simulated=True
    )
    label_samples(campaign, range(1, 7), agreeing(0.9))
    freeze_due_looks(campaign)
    sign_reports()
    client = client_for(lead)
    assert "Rehearsal" in client.get(address("checkpoints")).content.decode()
    html = client.get(address("checkpoint_report")).content.decode()
    assert "REHEARSAL: the labels were made by a program" in html
    assert html.count("(simulated labels)") == 7
    response = client.get(address("download_checkpoint_report"))
    assert "looked-at-rehearsal-checkpoint-1.json" in response["Content-Disposition"]
    assert json.loads(response.content)["report"]["is_rehearsal"]


def test_only_leads_of_the_campaign_find_anything(
    reported: Campaign,
    lead: User,
    annotator: User,
    adjudicator: User,
    engineer: User,
    outsider: User,
    client_for: SignIn,
) -> None:
    CampaignMember.objects.create(campaign=reported, user=adjudicator)
    other_lead = people.make("other-lead", Role.LEAD)
    for person in (annotator, adjudicator, engineer, outsider, other_lead):
        client = client_for(person)
        for name in GETS:
            assert client.get(address(name)).status_code == 404, (person, name)
        for name in POSTS:
            assert client.post(address(name), {"n_planned": 6}).status_code == 404, (person, name)
    assert client_for(lead).get(address("checkpoint_report", number=2)).status_code == 404


def test_a_report_of_another_campaign_is_not_found(
    reported: Campaign, lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    beside = make_declared_campaign(lead, [annotator, second_annotator], samples=3, slug="beside")
    assert beside.checkpoint_reports.count() == 0
    client = client_for(lead)
    assert client.get(address("checkpoint_report", "beside")).status_code == 404
    assert client.get(address("download_checkpoint_report", "beside")).status_code == 404


def test_each_page_takes_its_own_method_only(reported: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    assert [client.post(address(name)).status_code for name in GETS] == [405, 405, 405]
    assert [client.get(address(name)).status_code for name in POSTS] == [405, 405]


def test_looking_is_written_down(reported: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    for name in GETS:
        client.get(address(name))
    [report] = reported.checkpoint_reports.all()
    events = AccessEvent.objects.filter(actor=lead, object_type__startswith="checkpoint")
    assert list(events.order_by("pk").values_list("action", "object_type", "object_id")) == [
        ("listed", "checkpoints", str(reported.pk)),
        ("viewed", "checkpoint_report", str(report.pk)),
        ("exported", "checkpoint_report", str(report.pk)),
    ]
    assert LabelsOpened.objects.filter(campaign=reported, reader=lead).count() == 1


def test_all_of_it_is_closed_to_a_lead_who_still_labels_here(
    lead: User, annotator: User, client_for: SignIn
) -> None:
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    both = User.objects.get(pk=lead.pk)
    campaign = make_declared_campaign(both, [annotator], samples=3)
    label_samples(campaign, [1], agreeing(0.9))
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CLOSED)
    EndRequest.objects.create(look=DeclaredLook.objects.get(), requested_by=both)
    freeze_due_looks(campaign)
    client = client_for(both)
    assert [client.get(address(name)).status_code for name in GETS] == [403, 403, 403]
    assert [client.post(address(name), {"n_planned": 3}).status_code for name in POSTS] == [403, 403]
    assert not LabelsOpened.objects.exists()


def test_the_end_is_asked_for_by_a_button(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    label_samples(campaign, [1, 2], agreeing(0.9))
    refused = client.post(address("ask_for_end"))
    assert refused.status_code == 422
    assert "when the campaign is closed" in refused.content.decode()
    assert "Look at the end now" not in client.get(address("checkpoints")).content.decode()
    change_state(campaign=campaign, state=CampaignState.CLOSED, changed_by=lead)
    assert "Look at the end now" in client.get(address("checkpoints")).content.decode()
    assert client.post(address("ask_for_end")).status_code == 302
    assert "Report being made" in client.get(address("checkpoints")).content.decode()
    assert client.post(address("ask_for_end")).status_code == 422
    freeze_due_looks(campaign)
    html = client.get(address("checkpoint_report")).content.decode()
    assert "ended short of its plan" in html
    assert ", short" in client.get(address("checkpoints")).content.decode()


def test_looks_are_declared_anew_by_a_button(campaign: Campaign, lead: User, client_for: SignIn) -> None:
    client, page = client_for(lead), address("declare_looks")
    assert client.post(page, {"n_planned": "6"}).status_code == 422
    add_samples(campaign, 3)
    assert "The plan has changed" in client.get(address("checkpoints")).content.decode()
    for bad in ({}, {"n_planned": ""}, {"n_planned": "many"}, {"n_planned": "-1"}, {"n_planned": "8"}):
        assert client.post(page, bad).status_code == 422, bad
    assert campaign.look_declarations.count() == 1
    assert client.post(page, {"n_planned": "9"}).status_code == 302
    assert "The plan has changed" not in client.get(address("checkpoints")).content.decode()
    assert campaign.look_declarations.count() == 2


def test_the_queries_do_not_grow(
    campaign: Campaign,
    long_campaign: Campaign,
    lead: User,
    client_for: SignIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for(lead)
    label_samples(campaign, range(1, 7), agreeing(0.9))
    label_samples(long_campaign, range(1, 205), agreeing(0.9))
    for one in (campaign, long_campaign):
        freeze_due_looks(one)
        sign_reports()
        for name in GETS:
            client.get(address(name, one.slug))
    assert CheckpointReport.objects.count() == 3
    for name, queries in zip(GETS, (17, 10, 9), strict=True):
        for one in (campaign, long_campaign):
            with django_assert_num_queries(queries):
                client.get(address(name, one.slug))
