"""The seniors' pages of dangerous disagreement."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from annotation.dangerous.policy import default_hours
from annotation.dangerous.services import open_recent_cases
from annotation.models import Campaign, CampaignMember, CostMatrix, DangerAnswer, DangerCase, LabelsOpened
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from tests.annotation.worlds import CRISIS, label, make_campaign

ClientFor = Callable[[User], Client]
pytestmark = pytest.mark.django_db
TEXT = "what was said"


@pytest.fixture
def campaign(lead: User, adjudicator: User, annotator: User, second_annotator: User) -> Campaign:
    made = make_campaign(lead, [annotator, second_annotator], samples=3)
    CampaignMember.objects.create(campaign=made, user=adjudicator)
    return made


@pytest.fixture
def case(campaign: Campaign, annotator: User, second_annotator: User) -> DangerCase:
    label(campaign, annotator, 1)
    label(campaign, second_annotator, 1, answers=CRISIS)
    open_recent_cases()
    return DangerCase.objects.get()


def cases_url(campaign: Campaign) -> str:
    return reverse("annotation:danger_cases", args=[campaign.slug])


def case_url(case: DangerCase) -> str:
    return reverse("annotation:danger_case", args=[case.campaign.slug, case.pk])


def matrix_data(**changes: str) -> dict[str, str]:
    chosen = {f"hours_{low}_{high}": str(hours) for (low, high), hours in default_hours().items()}
    return chosen | {"because": "nights"} | changes


class TestCases:
    @pytest.mark.parametrize("who", ["lead", "adjudicator"])
    def test_works(
        self, case: DangerCase, who: str, request: pytest.FixtureRequest, client_for: ClientFor
    ) -> None:
        page = client_for(request.getfixturevalue(who)).get(cases_url(case.campaign)).content.decode()
        assert case_url(case) in page
        assert LabelsOpened.objects.filter(campaign=case.campaign).count() == 1

    @pytest.mark.parametrize("who", ["annotator", "engineer", "outsider", "supervisor"])
    def test_wrong_role(
        self, case: DangerCase, who: str, request: pytest.FixtureRequest, client_for: ClientFor
    ) -> None:
        client = client_for(request.getfixturevalue(who))
        matrix = reverse("annotation:danger_matrix", args=[case.campaign.slug])
        for address in (cases_url(case.campaign), case_url(case), matrix):
            assert client.get(address).status_code == 404

    def test_a_senior_of_another_campaign_finds_nothing(
        self, case: DangerCase, adjudicator: User, client_for: ClientFor
    ) -> None:
        CampaignMember.objects.filter(user=adjudicator).update(left_at=case.opened_at)
        assert client_for(adjudicator).get(case_url(case)).status_code == 404

    def test_who_still_labels_here_is_kept_blind(
        self, case: DangerCase, annotator: User, client_for: ClientFor
    ) -> None:
        RoleGrant.objects.create(user=annotator, role=Role.ADJUDICATOR)
        response = client_for(annotator).get(case_url(case))
        assert response.status_code in (302, 403)
        assert b"act now" not in response.content


def test_the_dashboard_counts_what_waits(case: DangerCase, lead: User, client_for: ClientFor) -> None:
    page = client_for(lead).get(reverse("annotation:dashboard", args=[case.campaign.slug])).content.decode()
    assert "data-danger>1 waits<" in page
    with time_machine.travel(case.due_at + timedelta(hours=1)):
        assert (
            "data-danger>1 waits, 1 overdue<"
            in client_for(lead)
            .get(reverse("annotation:dashboard", args=[case.campaign.slug]))
            .content.decode()
        )


class TestCase:
    def test_the_text_comes_when_it_is_asked_for(
        self, case: DangerCase, adjudicator: User, client_for: ClientFor
    ) -> None:
        client = client_for(adjudicator)
        seen = AccessEvent.objects.filter(
            actor=adjudicator, object_id=str(case.sample_id), object_type="sample"
        )
        assert TEXT not in client.get(case_url(case)).content.decode()
        assert not seen.exists()
        opened = client.post(f"{case_url(case)}open/", follow=True)
        assert TEXT in opened.content.decode()
        assert seen.count() == 1

    def test_answer(self, case: DangerCase, adjudicator: User, client_for: ClientFor) -> None:
        client = client_for(adjudicator)
        response = client.post(case_url(case), {"level": "4", "reason": "Clause C4, a plan is named."})
        assert response.status_code == 302
        assert DangerAnswer.objects.get().level == 4
        assert "a plan is named" in client.get(case_url(case)).content.decode()
        assert "Nothing waits" in client.get(cases_url(case.campaign)).content.decode()

    def test_an_answer_that_came_second_is_told_so(
        self, case: DangerCase, adjudicator: User, lead: User, client_for: ClientFor
    ) -> None:
        answer = {"level": "none", "reason": "Not English."}
        client_for(adjudicator).post(case_url(case), answer)
        response = client_for(lead).post(case_url(case), answer | {"level": "5"}, follow=True)
        assert "has answered this case already" in response.content.decode()
        assert DangerAnswer.objects.get().level is None

    @pytest.mark.parametrize("change", [{"level": "6"}, {"level": ""}, {"reason": ""}])
    def test_bad_input(
        self, case: DangerCase, adjudicator: User, client_for: ClientFor, change: dict[str, str]
    ) -> None:
        answer = {"level": "4", "reason": "Clause C4."} | change
        assert client_for(adjudicator).post(case_url(case), answer).status_code == 422
        assert not DangerAnswer.objects.exists()

    def test_an_unknown_case(self, case: DangerCase, adjudicator: User, client_for: ClientFor) -> None:
        address = reverse("annotation:danger_case", args=[case.campaign.slug, uuid.uuid4()])
        assert client_for(adjudicator).get(address).status_code == 404


class TestMatrix:
    def test_works(self, campaign: Campaign, lead: User, client_for: ClientFor) -> None:
        address = reverse("annotation:danger_matrix", args=[campaign.slug])
        response = client_for(lead).post(address, matrix_data(hours_0_5="4"))
        assert response.status_code == 302
        [stored] = CostMatrix.objects.all()
        assert (stored.number, stored.hours["0-5"], stored.because) == (1, 4, "nights")

    @pytest.mark.parametrize(
        "change", [{"hours_0_5": "0"}, {"hours_0_5": "5"}, {"hours_0_1": ""}, {"because": ""}]
    )
    def test_bad_input(
        self, campaign: Campaign, lead: User, client_for: ClientFor, change: dict[str, str]
    ) -> None:
        address = reverse("annotation:danger_matrix", args=[campaign.slug])
        assert client_for(lead).post(address, matrix_data(**change)).status_code == 422
        assert not CostMatrix.objects.exists()
