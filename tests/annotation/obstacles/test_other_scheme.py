"""The page of another scheme: two nominal questions, one asked only after some answers."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from annotation.campaigns.services import store_scheme
from annotation.models import Assignment, Campaign
from annotation.schemes.from_text import scheme_from_text
from prometheus_site.accounts.models import User
from prometheus_site.embedded.home import PROJECT
from tests.annotation.dashboard.busy import third_annotator
from tests.annotation.obstacles.disputed import Obstacles, chooser_of, label_all
from tests.annotation.worlds import make_campaign

EXAMPLE = (PROJECT / "annotation" / "campaigns" / "example" / "scheme.yaml").read_text(encoding="utf-8")


def answers(slot: Assignment) -> dict[str, object]:
    """Nobody tells advising from explaining; how it is done is asked of those two alone."""
    stance = ("listens", "asks", "advises")[slot.sample.number % 3]
    if stance == "advises":
        chosen = chooser_of(slot)
        stance = chosen.choice(["advises", "explains"])
        return {"stance": stance, "advice_fit": ("invited", "offered")[slot.sample.number % 2]}
    return {"stance": stance}


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    people = [annotator, second_annotator, third_annotator()]
    made = make_campaign(lead, people, samples=60, labels_per_sample=3)
    made.scheme = store_scheme(definition=scheme_from_text(EXAMPLE).definition, created_by=lead)
    made.save()
    label_all(made, answers)
    return made


def test_its_own_questions_are_taken_apart(
    campaign: Campaign, lead: User, client_for: Callable[[User], Client]
) -> None:
    client, address = client_for(lead), reverse("annotation:obstacles", args=[campaign.slug])
    html = client.get(address).content.decode()
    assert "Codes “Advises” and “Explains” are confused" in html.partition("Start here")[2]
    promised = Obstacles(html).promised
    assert promised
    for url, count in promised.items():
        assert f"<span data-count>{count}</span>" in client.get(url).content.decode()


def test_a_conditional_question_rests_on_those_it_was_asked_of(
    campaign: Campaign, lead: User, client_for: Callable[[User], Client]
) -> None:
    address = reverse("annotation:obstacles", args=[campaign.slug])
    html = client_for(lead).get(address, {"dimension": "advice_fit"}).content.decode()
    assert "20 of 50" in html
