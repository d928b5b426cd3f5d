"""The board's page of runs: read only, with two deeds and a link for each step."""

from collections.abc import Callable

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.state import STEPS
from prometheus_site.accounts.models import User
from tests.datasets_app.runs.making import run_in, waiting_run

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
LIST = "/board/datasets_app/datasetrun/"


def do(client: Client, deed: str, *runs: DatasetRun) -> str:
    chosen = {"action": deed, ACTION_CHECKBOX_NAME: [str(run.pk) for run in runs]}
    return client.post(LIST, chosen, follow=True).content.decode()


def test_each_step_has_a_link_to_the_form_that_starts_it(engineer: User, client_for: SignedIn) -> None:
    page = client_for(engineer).get(LIST).content.decode()
    assert [step for step in STEPS if f"{reverse('runs:list')}?step={step}" not in page] == []


def test_cancel_and_run_again(engineer: User, client_for: SignedIn) -> None:
    run, client = waiting_run(engineer), client_for(engineer)

    assert "Asked to stop" in do(client, "cancel", run)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert "nothing to cancel" in do(client, "cancel", run)

    assert "Waits for a worker" in do(client, "run_again", run)
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_each_chosen_run_says_what_became_of_it(lead: User, client_for: SignedIn) -> None:
    failed, other = run_in(RunState.FAILED, lead), run_in(RunState.CANCELLED, lead)

    page = do(client_for(lead), "run_again", failed, other)

    assert "Waits for a worker" in page
    assert "Another run is waiting or running" in page
    assert sorted(DatasetRun.objects.values_list("state", flat=True)).count("queued") == 1


def test_nothing_is_deleted_or_changed_there(lead: User, client_for: SignedIn) -> None:
    run, client = run_in(RunState.DONE, lead), client_for(lead)

    do(client, "delete_selected", run)

    assert DatasetRun.objects.filter(pk=run.pk).exists()
    assert client.post(f"{LIST}{run.pk}/change/", {"state": "queued"}).status_code == 405
    assert client.get(f"{LIST}{run.pk}/change/").status_code == 200


@pytest.mark.parametrize("who", ["annotator", "supervisor", "outsider"])
def test_others_find_nothing(
    who: str, lead: User, client_for: SignedIn, request: pytest.FixtureRequest
) -> None:
    run, client = waiting_run(lead), client_for(request.getfixturevalue(who))
    chosen = {"action": "cancel", ACTION_CHECKBOX_NAME: [str(run.pk)]}
    assert client.get(LIST).status_code == client.post(LIST, chosen).status_code == 404
    run.refresh_from_db()
    assert run.state == RunState.QUEUED
