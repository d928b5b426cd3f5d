"""The page Selection before there is one: the form, the run that goes on, and what stopped it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.models import Campaign, SelectionRun
from datasets_app.models import RunState
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests.annotation.selection.making import run_in, waiting_run
from tests.annotation.worlds import make_campaign
from tests.people import make, signed_in

pytestmark = pytest.mark.django_db
ASKED = {"count": "5000", "seed": "1"}
HTMX = {"HX-Request": "true"}
MOST_QUERIES_OF_A_PAGE, MOST_QUERIES_OF_A_LOOK = 14, 8


@pytest.fixture
def campaign(lead: User) -> Campaign:
    return make_campaign(lead, [], samples=0)


@pytest.fixture
def client(lead: User) -> Client:
    return signed_in(lead)


def address(name: str, campaign: Campaign, run: SelectionRun | None = None) -> str:
    return reverse(f"annotation:{name}", args=[campaign.slug, *([run.pk] if run else [])])


def page(client: Client, campaign: Campaign) -> str:
    answer = client.get(address("selection", campaign))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_campaign_without_samples_has_the_form(client: Client, campaign: Campaign) -> None:
    shown = page(client, campaign)
    assert "Nothing was selected" in shown
    assert 'name="count" value="5000"' in shown
    assert 'name="seed" value="1"' in shown
    assert "hx-trigger" not in shown


def test_the_form_starts_a_run(client: Client, campaign: Campaign, lead: User) -> None:
    answer = client.post(address("start_selection", campaign), {"count": "300", "seed": "7"})

    run = SelectionRun.objects.get()
    assert answer["Location"] == address("selection", campaign)
    assert (run.campaign, run.count, run.seed, run.started_by) == (campaign, 300, 7, lead)
    assert "Selecting 300 samples" in page(client, campaign)


def test_sent_twice_it_starts_one(client: Client, campaign: Campaign) -> None:
    client.post(address("start_selection", campaign), ASKED)
    shown = client.post(address("start_selection", campaign), ASKED, follow=True).content.decode()
    assert SelectionRun.objects.count() == 1
    assert "are being selected for this campaign already" in shown
    assert "Select samples" not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": "0"},
        {"count": "1000001"},
        {"count": "many"},
        {"count": ""},
        {"seed": "-1"},
        {"seed": "9223372036854775808"},
        {"seed": ""},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], client: Client, campaign: Campaign) -> None:
    answer = client.post(address("start_selection", campaign), ASKED | wrong)
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert not SelectionRun.objects.exists()


@pytest.mark.parametrize(
    ("samples", "is_simulated", "said"), [(1, False, "samples of an import"), (0, True, "is simulated")]
)
def test_a_campaign_that_can_take_none_has_no_form(
    samples: int, is_simulated: bool, said: str, client: Client, lead: User
) -> None:
    campaign = make_campaign(lead, [], samples=samples, slug="full", is_simulated=is_simulated)
    assert "Select samples" not in page(client, campaign)
    shown = client.post(address("start_selection", campaign), ASKED, follow=True).content.decode()
    assert said in shown
    assert not SelectionRun.objects.exists()


def test_a_waiting_run_is_asked_for_again(client: Client, campaign: Campaign, lead: User) -> None:
    waiting_run(campaign, lead)
    shown = page(client, campaign)
    assert f'hx-get="{address("selection", campaign)}" hx-trigger="every 2s"' in shown
    assert "Refresh" in shown
    assert "Cancel it" in shown
    assert "Run it again" not in shown
    assert "a worker is free" in shown


@pytest.mark.parametrize(
    ("step", "done", "said", "bar"),
    [
        ("read", 30_000, "Step 1 of 4: reading the dataset", 'value="50"'),
        ("judge", 0, "60,000 clusters", None),
        ("cover", 15_000, "15,000 of 60,000 strata", 'value="25"'),
        ("take_in", 0, "60,000 picks, all or none", None),
        ("", 0, "Beginning", None),
    ],
)
def test_a_running_one_shows_how_far_it_is(
    step: str, done: int, said: str, bar: str | None, client: Client, campaign: Campaign, lead: User
) -> None:
    run_in(RunState.RUNNING, campaign, lead, step=step, done=done, total=60_000)
    part = client.get(address("selection", campaign), headers=HTMX).content.decode()
    assert "<html" not in part
    assert said in part
    assert "Last sign of life" in part
    assert (bar in part) if bar else ("value=" not in part)


def test_when_it_has_ended_the_whole_page_is_asked_for(
    client: Client, campaign: Campaign, lead: User
) -> None:
    for state in (RunState.FAILED, RunState.CANCELLED, RunState.DONE):
        run_in(state, campaign, lead)
        assert client.get(address("selection", campaign), headers=HTMX)["HX-Refresh"] == "true"


def test_a_failed_one_says_why_and_runs_again(client: Client, campaign: Campaign, lead: User) -> None:
    run = run_in(RunState.FAILED, campaign, lead)
    shown = page(client, campaign)
    assert "This installation has no verified dataset." in shown
    assert "hx-trigger" not in shown
    assert "Select samples" in shown

    shown = client.post(address("resume_selection", campaign, run), follow=True).content.decode()
    assert "hx-trigger" in shown
    again = client.post(address("resume_selection", campaign, run), follow=True).content.decode()
    assert "Only a selection that failed or was cancelled can run again" in again


def test_cancel(client: Client, campaign: Campaign, lead: User) -> None:
    run = waiting_run(campaign, lead)
    shown = client.post(address("cancel_selection", campaign, run), follow=True).content.decode()
    assert "Nothing was taken in." in shown
    assert "Run it again" in shown
    again = client.post(address("cancel_selection", campaign, run), follow=True).content.decode()
    assert "nothing to cancel" in again


def test_a_run_that_is_to_stop_says_so(client: Client, campaign: Campaign, lead: User) -> None:
    run_in(RunState.RUNNING, campaign, lead, cancel_asked_at=timezone.now(), cancel_asked_by=lead)
    shown = page(client, campaign)
    assert "Cancel asked for" in shown
    assert "Cancel it" not in shown


def test_what_stopped_is_past_once_there_are_samples(client: Client, lead: User) -> None:
    campaign = make_campaign(lead, [], samples=0, slug="filled")
    run_in(RunState.CANCELLED, campaign, lead)
    make_campaign(lead, [], samples=1, slug="other").samples.update(campaign=campaign)
    shown = page(client, campaign)
    assert "has samples of an import" in shown
    assert "Run it again" not in shown


@pytest.mark.parametrize("who", ["annotator", "adjudicator", "supervisor", "engineer", "outsider"])
def test_others_find_nothing(
    who: str, lead: User, campaign: Campaign, request: pytest.FixtureRequest
) -> None:
    run, client = run_in(RunState.FAILED, campaign, lead), signed_in(request.getfixturevalue(who))
    assert client.get(address("selection", campaign)).status_code == 404
    assert client.post(address("start_selection", campaign), ASKED).status_code == 404
    for name in ("cancel_selection", "resume_selection"):
        assert client.post(address(name, campaign, run)).status_code == 404
    run.refresh_from_db()
    assert (run.state, SelectionRun.objects.count()) == (RunState.FAILED, 1)


def test_another_campaigns_run_is_not_there(client: Client, campaign: Campaign, lead: User) -> None:
    other = make_campaign(lead, [], samples=0, slug="other")
    foreign = run_in(RunState.FAILED, other, lead)
    for name in ("cancel_selection", "resume_selection"):
        assert client.post(address(name, campaign, foreign)).status_code == 404
    elsewhere = signed_in(make("other lead", Role.LEAD))
    assert elsewhere.post(address("start_selection", campaign), ASKED).status_code == 404
    foreign.refresh_from_db()
    assert (foreign.state, SelectionRun.objects.count()) == (RunState.FAILED, 1)


def test_other_methods_are_refused(client: Client, campaign: Campaign, lead: User) -> None:
    run = waiting_run(campaign, lead)
    refused = {
        address("selection", campaign): ("POST", "PUT", "DELETE"),
        address("start_selection", campaign): ("GET", "PUT", "DELETE"),
        address("cancel_selection", campaign, run): ("GET", "PUT", "DELETE"),
        address("resume_selection", campaign, run): ("GET", "PUT", "DELETE"),
    }
    for place, methods in refused.items():
        assert {client.generic(method, place).status_code for method in methods} == {405}, place


def test_it_asks_the_database_little_however_many_runs(
    client: Client, campaign: Campaign, lead: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(10):
        run_in(RunState.FAILED, campaign, lead)
    run_in(RunState.RUNNING, campaign, lead, cancel_asked_at=timezone.now(), cancel_asked_by=lead)
    page(client, campaign)
    with django_assert_max_num_queries(MOST_QUERIES_OF_A_PAGE):
        page(client, campaign)
    with django_assert_max_num_queries(MOST_QUERIES_OF_A_LOOK):
        client.get(address("selection", campaign), headers=HTMX)
