"""The page of a campaign's selection."""

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.intake.selection import take_in_selection
from annotation.intake.services import take_in_waiting_imports
from annotation.models import Campaign, SelectionRun
from annotation.selection import selectors
from annotation.selection.picture import bars_of, plot_of
from datasets_app.models import ImportJob
from datasets_app.selection.documents import FloorFacts, ScoreFacts
from datasets_app.selection.selecting import Selected, select_samples
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests.annotation.worlds import make_campaign, make_conversations
from tests.datasets_app.selection.making import SAID, verified_dataset
from tests.people import make, signed_in

SIZES = {"suicidality": 50, "grief_complicated": 50, "": 60}


@pytest.fixture(scope="module")
def selected(tmp_path_factory: pytest.TempPathFactory) -> Selected:
    folder = tmp_path_factory.mktemp("dataset")
    verified_dataset(folder, SIZES)
    return select_samples(str(folder / "dataset"), 80, 1)


@pytest.fixture
def campaign(lead: User, selected: Selected) -> Campaign:
    made = make_campaign(lead, [], samples=0, slug="selected")
    take_in_selection(selected=selected, campaign_slug="selected")
    return made


def page(reader: User, campaign: Campaign, query: str = "") -> str:
    answer = signed_in(reader).get(reverse("annotation:selection", args=[campaign.slug]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_says_what_was_picked_and_why(lead: User, campaign: Campaign) -> None:
    shown = page(lead, campaign)
    assert "80 samples picked from" in shown
    assert "Less was there than was wanted" in shown
    assert "There is none of 23 categories: homicidal client, " in shown
    assert "Page 1 of 2" in shown
    for said in SAID.values():
        assert said not in shown


def test_picks_that_come_while_the_page_is_made_are_shown(
    lead: User, selected: Selected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said that nothing was selected when a worker came to its end between two looks at the database."""
    campaign = make_campaign(lead, [], samples=0, slug="selected")
    latest_run = selectors.latest_run

    def look_before_it_ends(campaign: Campaign) -> SelectionRun | None:
        run = latest_run(campaign)
        take_in_selection(selected=selected, campaign_slug="selected")
        return run

    monkeypatch.setattr(selectors, "latest_run", look_before_it_ends)
    shown = page(lead, campaign)
    assert "80 samples picked from" in shown
    assert "Nothing was selected" not in shown


def test_the_list_can_be_of_one_reason(lead: User, campaign: Campaign) -> None:
    shown = page(lead, campaign, "?reason=random")
    assert shown.count('<td class="number-left">At random</td>') == 8
    address = reverse("annotation:selection", args=[campaign.slug])
    assert signed_in(lead).get(f"{address}?reason=because").status_code == 404


def test_a_campaign_without_a_selection_says_so(lead: User) -> None:
    shown = page(lead, make_campaign(lead, []))
    assert "Nothing was selected" in shown
    assert "has samples of an import" in shown
    assert "Select samples" not in shown


def test_an_import_that_names_the_campaign_waits_and_the_pages_say_so(lead: User, campaign: Campaign) -> None:
    job = make_conversations(2, source_name="plain")[0].import_job
    ImportJob.objects.filter(pk=job.pk).update(campaign_slug=campaign.slug)
    assert take_in_waiting_imports() == 0
    assert campaign.samples.count() == 80
    assert "1 import was not taken in" in page(lead, campaign)
    shown = signed_in(lead).get(reverse("annotation:campaign", args=[campaign.slug])).content.decode()
    assert "no import is added" in shown
    assert "Import conversations" not in shown


def test_who_still_labels_sees_no_guess_about_a_sample(lead: User, selected: Selected) -> None:
    RoleGrant.objects.create(user=lead, role=Role.ANNOTATOR)
    made = make_campaign(User.objects.get(pk=lead.pk), [], samples=0, labels_per_sample=1)
    take_in_selection(selected=selected, campaign_slug=made.slug)
    shown = page(lead, made)
    assert "stays closed to you until you are done" in shown
    assert "Picked for" not in shown


def test_it_asks_the_database_a_fixed_number_of_times(
    lead: User, campaign: Campaign, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client, address = signed_in(lead), reverse("annotation:selection", args=[campaign.slug])
    client.get(address)
    with django_assert_max_num_queries(12):
        assert client.get(address).status_code == 200


def test_others_find_nothing(annotator: User, campaign: Campaign) -> None:
    address = reverse("annotation:selection", args=[campaign.slug])
    assert signed_in(annotator).get(address).status_code == 404
    assert signed_in(make("other lead", Role.LEAD)).get(address).status_code == 404


def test_a_plot_is_drawn_from_shares_and_not_from_counts() -> None:
    plot = plot_of(ScoreFacts(name="rarity", frame=[0, 100], picks=[1, 1]))
    assert plot.pool == "M0 100V100.0H150.0V0.0H300.0V100"
    assert plot.picks == "M0 100V50.0H150.0V50.0H300.0V100"
    assert (plot.pool_mean, plot.picks_mean) == (0.75, 0.5)


def test_a_bar_is_marked_at_its_floor() -> None:
    floors = [
        FloorFacts(name="grief_complicated", wanted=50, available=900, found=200),
        FloorFacts(name="suicidality", wanted=50, available=20, found=20),
    ]
    [grief, suicidality] = bars_of(floors)
    assert (grief.name, grief.bar, grief.mark, grief.is_short) == (
        "Grief complicated",
        "100.00%",
        "25.00%",
        False,
    )
    assert (suicidality.bar, suicidality.mark, suicidality.is_short) == ("10.00%", "25.00%", True)
