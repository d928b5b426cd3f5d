"""Decisions on people: by a lead, with a reason, kept for ever, and only when all is there."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.assignment.queue import hand_out
from annotation.campaigns.services import create_campaign
from annotation.models import Campaign, CampaignMember, Outcome, QualificationDecision
from annotation.qualification.services import DecisionRefusedError, decide
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import make_campaign, make_ready

ClientFor = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator])


@pytest.fixture
def newcomer(campaign: Campaign) -> User:
    person = people.make("newcomer", Role.ANNOTATOR)
    CampaignMember.objects.create(campaign=campaign, user=person)
    return person


def decided(campaign: Campaign, person: User, lead: User, outcome: Outcome, because: str = "Why.") -> None:
    decide(campaign=campaign, clinician=person, outcome=outcome, because=because, decided_by=lead)


def test_nobody_qualifies_before_all_is_there(campaign: Campaign, newcomer: User, lead: User) -> None:
    with pytest.raises(DecisionRefusedError) as refused:
        decided(campaign, newcomer, lead, Outcome.PROVISIONAL)
    for missing in ("every document", "licence", "training modules"):
        assert missing in str(refused.value)
    assert not QualificationDecision.objects.filter(clinician=newcomer).exists()
    make_ready(newcomer)
    decided(campaign, newcomer, lead, Outcome.PROVISIONAL)
    assert len(hand_out(campaign=campaign, annotator=newcomer).slots) == 1


def test_a_reason_is_needed(campaign: Campaign, newcomer: User, lead: User) -> None:
    with pytest.raises(DecisionRefusedError, match="why"):
        decided(campaign, newcomer, lead, Outcome.CALIBRATE, because="  ")


def test_nobody_decides_about_themselves(campaign: Campaign, lead: User, annotator: User) -> None:
    with pytest.raises(DecisionRefusedError, match="themselves"):
        decided(campaign, annotator, annotator, Outcome.REFUSED)


def test_somebody_who_is_not_in_the_campaign_is_not_decided_on(campaign: Campaign, lead: User) -> None:
    with pytest.raises(DecisionRefusedError, match="annotator of this campaign"):
        decided(campaign, people.make("elsewhere", Role.ANNOTATOR), lead, Outcome.CALIBRATE)


def test_a_refusal_takes_back_what_waits_and_keeps_the_history(
    campaign: Campaign, annotator: User, lead: User
) -> None:
    decided(campaign, annotator, lead, Outcome.REFUSED)
    assert hand_out(campaign=campaign, annotator=annotator).slots == ()
    decided(campaign, annotator, lead, Outcome.PROVISIONAL)
    assert len(hand_out(campaign=campaign, annotator=annotator).slots) == 1
    made = QualificationDecision.objects.filter(clinician=annotator).order_by("place")
    assert [one.outcome for one in made] == ["provisional", "refused", "provisional"]


def test_a_lead_decides_on_the_page(
    campaign: Campaign, newcomer: User, lead: User, client_for: ClientFor
) -> None:
    client = client_for(lead)
    address = reverse("annotation:decide", args=[campaign.slug, newcomer.code])
    assert client.post(address, {"outcome": "calibrate", "because": ""}).status_code == 422
    early = client.post(address, {"outcome": "provisional", "because": "Good."})
    assert early.status_code == 422
    assert "must be there first" in early.content.decode()
    done = client.post(address, {"outcome": "calibrate", "because": "Passed the quiz well."}, follow=True)
    assert "Passed the quiz well." in done.content.decode()
    listed = client.get(reverse("annotation:qualifications", args=[campaign.slug])).content.decode()
    assert newcomer.code in listed
    assert "To calibrate" in listed


def test_two_tabs_of_a_lead_make_two_decisions_in_order(
    campaign: Campaign, newcomer: User, lead: User
) -> None:
    decided(campaign, newcomer, lead, Outcome.CALIBRATE)
    decided(campaign, newcomer, lead, Outcome.CALIBRATE)
    places = QualificationDecision.objects.filter(clinician=newcomer).values_list("place", flat=True)
    assert sorted(places) == [1, 2]
    assert newcomer.admissions.get().reading == 0, "nothing was read between them"


def test_a_new_human_campaign_requires_it_and_a_simulated_one_does_not(lead: User) -> None:
    human = create_campaign(name="People", slug="people", created_by=lead)
    program = create_campaign(name="Program", slug="program", created_by=lead, is_simulated=True)
    assert human.requires_qualification
    assert not program.requires_qualification


@pytest.mark.parametrize(("ticked", "requires"), [({"requires_qualification": "on"}, True), ({}, False)])
def test_the_lead_says_so_when_making_it(
    lead: User, client_for: ClientFor, ticked: dict[str, str], requires: bool
) -> None:
    form = {"name": "New", "slug": "fresh", "labels_per_sample": "2", "asks": "shipped", "action": "make"}
    client = client_for(lead)
    client.post(reverse("annotation:create_campaign"), form | ticked)
    assert Campaign.objects.get(slug="fresh").requires_qualification == requires
    page = client.get(reverse("annotation:campaign", args=["fresh"])).content.decode()
    assert ("No qualification required" in page) == (not requires)


def test_a_campaign_without_the_gate_has_no_such_pages(
    campaign: Campaign, annotator: User, lead: User, client_for: ClientFor
) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(requires_qualification=False)
    for person, name, more in (
        (annotator, "own_qualification", []),
        (lead, "qualifications", []),
        (lead, "qualification", [annotator.code]),
        (lead, "calibration", []),
    ):
        address = reverse(f"annotation:{name}", args=[campaign.slug, *more])
        assert client_for(person).get(address).status_code == 404
    with pytest.raises(DecisionRefusedError, match="does not require"):
        decided(campaign, annotator, lead, Outcome.REFUSED)
