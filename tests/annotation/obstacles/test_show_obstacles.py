"""The page of what stands between a dimension and its target: who opens it, what it says, what it costs."""

from collections.abc import Callable

import numpy as np
import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Campaign, LabelsOpened
from annotation.obstacles.presenter import Reader, present
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from tests import people
from tests.annotation.dashboard.busy import Page, pages_of, third_annotator
from tests.annotation.obstacles.disputed import Obstacles, make_disputed_campaign
from tests.annotation.obstacles.made import found_in, labels_of, noisy
from tests.annotation.worlds import label, make_campaign

SignIn = Callable[[User], Client]
PAGES = ("obstacles", "obstacle_samples")
MODALITY, EMPATHY, CRISIS = "modality_primary", "empathy_global", "crisis_intensity"
QUERY_LIMIT = 25


@pytest.fixture
def annotators(annotator: User, second_annotator: User) -> list[User]:
    return [annotator, second_annotator, third_annotator()]


@pytest.fixture
def disputed(lead: User, annotators: list[User]) -> Campaign:
    return make_disputed_campaign(lead, annotators)


def address(campaign: Campaign, page: str = "obstacles", **query: str) -> str:
    path = reverse(f"annotation:{page}", args=[campaign.slug])
    return path + "?" + "&".join(f"{name}={value}" for name, value in query.items())


def shown(client: Client, campaign: Campaign, **query: str) -> str:
    response = client.get(address(campaign, **query))
    assert response.status_code == 200
    return response.content.decode()


def test_names_what_was_planted(
    disputed: Campaign, lead: User, annotators: list[User], client_for: SignIn
) -> None:
    client = client_for(lead)
    empathy = shown(client, disputed, dimension=EMPATHY)
    first = empathy.partition("Start here")[2].partition("</div>")[0]
    assert f"{annotators[-1].code} differs from the others" in first
    modality = shown(client, disputed, dimension=MODALITY)
    first = modality.partition("Start here")[2].partition("</div>")[0]
    assert "“Person-centred” and “Supportive, common factors” are confused" in first
    assert "M2 The order of precedence" in first
    assert "M4 The generic four" in first


def test_the_chance_of_a_false_name_is_that_of_one_question() -> None:
    codes = noisy(2)
    codes[:, 3] = np.minimum(codes[:, 3] + 1, 3)
    page = present(found_in(labels_of(codes)), Reader("depth", {}, {}, {}), 0.85)
    shown = {"page": page, "campaign": Campaign(slug="made"), "has_names": True}
    html = render_to_string("annotation/obstacles/_alerts.html", shown)
    assert "fewer than 15 in 1,000 ever show one on this question" in html


def test_every_number_of_samples_is_the_length_of_its_list(
    disputed: Campaign, lead: User, client_for: SignIn
) -> None:
    client = client_for(lead)
    for key in (MODALITY, EMPATHY):
        promised = Obstacles(shown(client, disputed, dimension=key)).promised
        assert len(promised) > 8
        for url, count in promised.items():
            pages = pages_of(client, url)
            assert pages[0].heading_count == str(count), url
            assert sum(page.row_count for page in pages) == count, url


def test_a_list_shows_answers_that_differ(disputed: Campaign, lead: User, client_for: SignIn) -> None:
    [page] = pages_of(
        client_for(lead),
        address(disputed, "obstacle_samples", dimension=MODALITY)
        + "&answer=person_centred&answer=supportive",
    )
    assert page.row_count > 5
    assert all({"person_centred", "supportive"} <= set(answers.values()) for answers in page.items)


def test_says_codes_and_no_names(
    disputed: Campaign, lead: User, annotators: list[User], client_for: SignIn
) -> None:
    html = shown(client_for(lead), disputed, dimension=EMPATHY)
    assert annotators[-1].code in html
    assert not [one for one in annotators if one.display_name in html]


def test_says_names_where_they_are_revealed(
    disputed: Campaign, lead: User, annotators: list[User], client_for: SignIn
) -> None:
    client, leaning = client_for(lead), annotators[-1]
    client.post(reverse("annotation:reveal_names", args=[disputed.slug]))
    html = shown(client, disputed, dimension=EMPATHY)
    assert f"{leaning.code} ({leaning.display_name}) differs from the others" in html
    behind = address(disputed, "obstacle_samples", dimension=EMPATHY, person=leaning.code)
    assert f"{leaning.code} ({leaning.display_name})" in client.get(behind).content.decode()


def test_a_constant_answer_is_not_estimable(disputed: Campaign, lead: User, client_for: SignIn) -> None:
    html = shown(client_for(lead), disputed, dimension=CRISIS)
    assert "Not estimable" in html
    assert "No variation" in html
    assert "Start here" not in html


def test_an_empty_campaign_is_collecting(lead: User, annotators: list[User], client_for: SignIn) -> None:
    campaign = make_campaign(lead, annotators, samples=3, labels_per_sample=3)
    html = shown(client_for(lead), campaign)
    assert "0 of 50" in html
    assert "Collecting" in html
    label(campaign, annotators[0], 1)
    assert client_for(lead).get(address(campaign, "obstacle_samples")).status_code == 200


def test_two_clinicians_are_not_weighed_against_each_other(
    lead: User, annotators: list[User], client_for: SignIn
) -> None:
    campaign = make_disputed_campaign(lead, annotators[1:], samples=51)
    html = shown(client_for(lead), campaign, dimension=EMPATHY)
    assert "With two clinicians nobody can say which of them departs from the rest." in html
    assert "NOT MEASURED" in html
    assert "2 of the 3 clinicians whom it takes to say who departs from the rest" in html


@pytest.mark.parametrize("role", ["annotator", "adjudicator", "supervisor", "engineer", "outsider"])
def test_is_not_there_for_other_roles(
    role: str, lead: User, client_for: SignIn, request: pytest.FixtureRequest
) -> None:
    person: User = request.getfixturevalue(role)
    campaign = make_campaign(lead, [person], samples=1)
    client = client_for(person)
    assert [client.get(address(campaign, page)).status_code for page in PAGES] == [404, 404]


def test_is_not_there_for_a_lead_of_another_campaign(
    lead: User, annotators: list[User], client_for: SignIn
) -> None:
    campaign = make_campaign(lead, annotators, samples=1)
    client = client_for(people.make("other-lead", Role.LEAD))
    assert [client.get(address(campaign, page)).status_code for page in PAGES] == [404, 404]


def test_takes_no_post(lead: User, annotators: list[User], client_for: SignIn) -> None:
    campaign = make_campaign(lead, annotators, samples=1)
    client = client_for(lead)
    assert [client.post(address(campaign, page)).status_code for page in PAGES] == [405, 405]


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("obstacles", "dimension=weather"),
        ("obstacles", "dimension=reply_safety"),
        ("obstacle_samples", "dimension=weather"),
        ("obstacle_samples", "person=C-000000"),
        ("obstacle_samples", "person=C-%00"),
        ("obstacle_samples", "answer=0"),
        ("obstacle_samples", "answer=0&answer=9"),
        ("obstacle_samples", "clause=%3Cb%3E"),
        ("obstacle_samples", "alert=mood&person=C-000000"),
        ("obstacle_samples", "division=theme"),
        ("obstacle_samples", "what=ever"),
    ],
)
def test_what_does_not_exist_is_not_found(
    page: str, query: str, lead: User, annotators: list[User], client_for: SignIn
) -> None:
    campaign = make_campaign(lead, annotators, samples=1)
    assert client_for(lead).get(f"{address(campaign, page)}{query}").status_code == 404


def test_an_alert_that_no_longer_stands_says_so(
    lead: User, annotators: list[User], client_for: SignIn
) -> None:
    campaign = make_campaign(lead, annotators, samples=1)
    query = {"alert": "bias", "person": annotators[0].code}
    html = client_for(lead).get(address(campaign, "obstacle_samples", **query)).content.decode()
    assert "This alert no longer stands." in html
    assert Page(html).heading_count == "0"


def test_is_closed_to_a_lead_who_still_labels_here(
    lead: User, annotators: list[User], client_for: SignIn
) -> None:
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    both = User.objects.get(pk=lead.pk)
    campaign = make_campaign(both, annotators, samples=1, labels_per_sample=4)
    label(campaign, annotators[0], 1)
    client = client_for(both)
    assert [client.get(address(campaign, page)).status_code for page in PAGES] == [403, 403]
    assert not LabelsOpened.objects.exists()
    label(campaign, both, 1)
    assert [client.get(address(campaign, page)).status_code for page in PAGES] == [200, 200]


def test_looking_is_written_down(disputed: Campaign, lead: User, client_for: SignIn) -> None:
    client = client_for(lead)
    for page in PAGES:
        client.get(address(disputed, page))
    for what in ("obstacles", "obstacle_samples"):
        assert AccessEvent.objects.get(object_type=what).object_id == str(disputed.pk)
    assert LabelsOpened.objects.get().reader == lead


def test_costs_as_many_queries_for_few_samples_as_for_many(
    lead: User, annotators: list[User], client_for: SignIn
) -> None:
    client = client_for(lead)
    counted = []
    for samples in (3, 12):
        campaign = make_disputed_campaign(lead, annotators, samples=samples, slug=f"of-{samples}")
        client.get(address(campaign))  # labels that are opened for the first time are written down
        for page in PAGES:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(address(campaign, page, dimension=EMPATHY)).status_code == 200
            counted.append(len(queries))
    assert counted[:2] == counted[2:]
    assert max(counted) <= QUERY_LIMIT
