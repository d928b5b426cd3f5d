"""The board's page of selection runs: read only, of the lead's own campaigns, with two deeds."""

from collections.abc import Callable

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client

from annotation.models import Campaign, SelectionRun
from datasets_app.models import RunState
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests.annotation.selection.making import run_in, waiting_run
from tests.annotation.worlds import make_campaign
from tests.people import make

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
LIST = "/board/annotation/selectionrun/"


@pytest.fixture
def campaign(lead: User) -> Campaign:
    return make_campaign(lead, [], samples=0)


def do(client: Client, deed: str, *runs: SelectionRun) -> str:
    chosen = {"action": deed, ACTION_CHECKBOX_NAME: [str(run.pk) for run in runs]}
    return client.post(LIST, chosen, follow=True).content.decode()


def test_cancel_and_run_again(lead: User, campaign: Campaign, client_for: SignedIn) -> None:
    run, client = waiting_run(campaign, lead), client_for(lead)

    assert "Asked to stop" in do(client, "cancel", run)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert "nothing to cancel" in do(client, "cancel", run)

    assert "Waits for a worker" in do(client, "run_again", run)
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_each_chosen_run_says_what_became_of_it(lead: User, campaign: Campaign, client_for: SignedIn) -> None:
    failed, other = run_in(RunState.FAILED, campaign, lead), run_in(RunState.CANCELLED, campaign, lead)

    page = do(client_for(lead), "run_again", failed, other)

    assert "Waits for a worker" in page
    assert "are being selected for this campaign already" in page
    assert sorted(SelectionRun.objects.values_list("state", flat=True)).count("queued") == 1


def test_nothing_is_deleted_or_changed_there(lead: User, campaign: Campaign, client_for: SignedIn) -> None:
    run, client = run_in(RunState.DONE, campaign, lead), client_for(lead)

    do(client, "delete_selected", run)

    assert SelectionRun.objects.filter(pk=run.pk).exists()
    assert client.post(f"{LIST}{run.pk}/change/", {"state": "queued"}).status_code == 405
    assert client.get(f"{LIST}{run.pk}/change/").status_code == 200


def test_another_leads_run_is_not_there(lead: User, campaign: Campaign, client_for: SignedIn) -> None:
    run = waiting_run(campaign, lead)
    client = client_for(make("other-lead", Role.LEAD))
    do(client, "cancel", run)
    assert client.get(f"{LIST}{run.pk}/change/").status_code == 404
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


@pytest.mark.parametrize("who", ["annotator", "engineer", "supervisor", "outsider"])
def test_others_find_nothing(
    who: str, lead: User, campaign: Campaign, client_for: SignedIn, request: pytest.FixtureRequest
) -> None:
    run, client = waiting_run(campaign, lead), client_for(request.getfixturevalue(who))
    chosen = {"action": "cancel", ACTION_CHECKBOX_NAME: [str(run.pk)]}
    assert client.get(LIST).status_code == client.post(LIST, chosen).status_code == 404
    run.refresh_from_db()
    assert run.state == RunState.QUEUED
