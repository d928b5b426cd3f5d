"""One sample with its conversation and the labels of all, side by side."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.labelling.services import clinician_scope, correct_label
from annotation.labelling.unlabelled import flag_sample
from annotation.models import Campaign, Exposure, FlagKind
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from prometheus_site.core import sealing
from tests.annotation.worlds import label, make_campaign, submission

TEXT = "what was said, 1.1"
SignIn = Callable[[User], Client]


def test_shows_every_label_and_correction_by_code(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=1)
    given = label(campaign, annotator, 1, note="for the adjudicator", answers={"empathy_global": "2"})
    label(campaign, second_annotator, 1, answers={"empathy_global": "4"})
    changed = submission(campaign, reason="slipped", answers={"empathy_global": "5"})
    correct_label(annotator=annotator, label=given, submission=changed)
    html = client_for(lead).get(_address(campaign)).content.decode()
    for answer in ("2 Formulaic", "4 Accurate and sustained", "5 Grasps the unsaid"):
        assert html.count(answer) == 1
    assert html.count(annotator.code) == 2
    assert f"{annotator.code}, correction" in html
    assert "what was said, 1.1" in html
    for closed in ("for the adjudicator", "slipped", second_annotator.display_name):
        assert closed not in html


def test_reading_is_written_down(lead: User, annotator: User, client_for: SignIn) -> None:
    campaign = make_campaign(lead, [annotator], samples=1)
    client_for(lead).get(_address(campaign))
    sample = campaign.samples.get()
    assert AccessEvent.objects.filter(
        actor=lead, action="viewed", object_type="sample", object_id=sample.pk
    ).exists()


def test_shows_what_is_wrong_with_it_and_not_who_says_so(
    lead: User, annotator: User, client_for: SignIn
) -> None:
    campaign = make_campaign(lead, [annotator], samples=2)
    slot = campaign.assignments.get(sample__number=1, repeat_number=0)
    flag_sample(
        annotator=annotator,
        assignment=slot,
        kind=FlagKind.NAMES_SOMEBODY,
        words="the town is named",
        key=uuid.uuid4(),
    )
    html = client_for(lead).get(_address(campaign)).content.decode()
    assert "Names or describes a person who could be recognised" in html
    assert "the town is named" in html
    assert annotator.code not in html
    other = client_for(lead).get(reverse("annotation:sample", args=["made-up", 2])).content.decode()
    assert "the town is named" not in other
    sealing.destroy_key(clinician_scope(annotator), because="the clinician left")
    assert "Names or describes" in client_for(lead).get(_address(campaign)).content.decode()


def test_the_labels_outlive_an_erased_text(lead: User, annotator: User, client_for: SignIn) -> None:
    campaign = make_campaign(lead, [annotator], samples=1)
    label(campaign, annotator, 1, answers={"empathy_global": "4"})
    sealing.destroy_key(campaign.samples.get().conversation.source.key_scope, because="consent withdrawn")
    html = client_for(lead).get(_address(campaign)).content.decode()
    assert "was erased" in html
    assert "4 Accurate and sustained" in html


class TestSevere:
    """A text estimated severe is covered for leads too, and opening it counts."""

    @pytest.fixture
    def campaign(self, lead: User, annotator: User) -> Campaign:
        made = make_campaign(lead, [annotator], samples=2)
        made.samples.update(is_estimated_severe=True)
        return made

    def test_it_stays_covered_until_it_is_opened_and_then_counts_once(
        self, campaign: Campaign, lead: User, client_for: SignIn
    ) -> None:
        client = client_for(lead)
        assert TEXT not in client.get(_address(campaign)).content.decode()
        assert not Exposure.objects.exists()
        assert TEXT in client.post(_opening(campaign), follow=True).content.decode()
        assert TEXT in client.post(_opening(campaign), follow=True).content.decode()
        read = Exposure.objects.get()
        assert (read.annotator, read.sample, read.dose) == (lead, campaign.samples.get(number=1), 1)
        assert AccessEvent.objects.filter(actor=lead, action="viewed", object_id=read.sample_id).exists()

    def test_no_two_in_sequence(self, campaign: Campaign, lead: User, client_for: SignIn) -> None:
        client = client_for(lead)
        client.post(_opening(campaign))
        page = client.post(_opening(campaign, 2), follow=True).content.decode()
        assert "The last text you read was severe, too" in page
        assert "what was said" not in page
        assert Exposure.objects.count() == 1

    @pytest.mark.parametrize("who", ["annotator", "outsider", "engineer"])
    def test_others_open_nothing(
        self, campaign: Campaign, who: str, request: pytest.FixtureRequest, client_for: SignIn
    ) -> None:
        client = client_for(request.getfixturevalue(who))
        assert client.post(_opening(campaign)).status_code == 404
        assert not Exposure.objects.exists()

    def test_a_link_opens_nothing(self, campaign: Campaign, lead: User, client_for: SignIn) -> None:
        assert client_for(lead).get(_opening(campaign)).status_code == 405
        assert client_for(lead).post(_opening(campaign, 9)).status_code == 404


def test_an_unknown_number_is_not_there(lead: User, annotator: User, client_for: SignIn) -> None:
    make_campaign(lead, [annotator], samples=1)
    assert client_for(lead).get(reverse("annotation:sample", args=["made-up", 2])).status_code == 404


def _opening(campaign: Campaign, number: int = 1) -> str:
    return reverse("annotation:open_sample", args=[campaign.slug, number])


def _address(campaign: Campaign) -> str:
    return reverse("annotation:sample", args=[campaign.slug, 1])
