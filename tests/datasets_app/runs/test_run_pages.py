"""The pages of runs: the list with its form, and how one run goes, with and without JavaScript."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from datasets_app.models import DatasetRun, RunState
from datasets_app.phase1.state import STEPS, StepStatus
from prometheus_site.accounts.models import User
from tests.datasets_app.runs.making import run_in, step, waiting_run

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
LIST = "/datasets/phase-1/"
MOST_QUERIES_OF_A_PAGE = 12
ALL_STEPS: dict[str, Any] = {"steps": list(STEPS), "seed": "", "scale": "1"}


def address(name: str, run: DatasetRun) -> str:
    return reverse(f"runs:{name}", args=[run.pk])


def test_without_a_run_the_list_says_how_to_begin(lead: User, client_for: SignedIn) -> None:
    page = client_for(lead).get(LIST).content.decode()
    assert "No run yet" in page
    assert page.count("checked") == len(STEPS)


def test_a_link_chooses_one_step(engineer: User, client_for: SignedIn) -> None:
    page = client_for(engineer).get(f"{LIST}?step=verify").content.decode()
    assert page.count("checked") == 1
    assert client_for(engineer).get(f"{LIST}?step=nothing").content.decode().count("checked") == len(STEPS)


def test_the_form_starts_a_run(engineer: User, client_for: SignedIn) -> None:
    answer = client_for(engineer).post(LIST, ALL_STEPS | {"steps": ["publish", "verify"], "seed": "11"})

    run = DatasetRun.objects.get()
    assert answer["Location"] == address("run", run)
    assert (run.steps, run.seed, run.scale) == (["verify", "publish"], 11, 1)
    assert run.started_by == engineer


def test_sent_twice_it_starts_one(lead: User, client_for: SignedIn) -> None:
    client = client_for(lead)
    client.post(LIST, ALL_STEPS)
    page = client.post(LIST, ALL_STEPS, follow=True).content.decode()

    assert DatasetRun.objects.count() == 1
    assert "Another run is waiting or running" in page
    assert "Start a run" not in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": []},
        {"steps": ["compile", "burn"]},
        {"seed": "-1"},
        {"seed": "9223372036854775808"},
        {"seed": "one"},
        {"scale": "0"},
        {"scale": "101"},
        {"scale": ""},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], lead: User, client_for: SignedIn) -> None:
    answer = client_for(lead).post(LIST, ALL_STEPS | wrong)
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert not DatasetRun.objects.exists()


def test_a_browser_names_no_path(lead: User, client_for: SignedIn) -> None:
    client_for(lead).post(LIST, ALL_STEPS | {"target": "/etc", "sources": "/etc", "workspace": "/etc"})
    assert DatasetRun.objects.get().target == ""


def test_a_waiting_run_is_asked_for_again(lead: User, client_for: SignedIn) -> None:
    run = waiting_run(lead)
    page = client_for(lead).get(address("run", run)).content.decode()

    assert f'hx-get="{address("run", run)}" hx-trigger="every 2s"' in page
    assert "Refresh" in page
    assert "Cancel it" in page
    assert "Run it again" not in page
    assert "is free" in page


def test_a_running_step_shows_how_far_how_fast_and_how_long(lead: User, client_for: SignedIn) -> None:
    states = [
        step("edge_cases", StepStatus.DONE, done=10_000, total=10_000, unit="dialogues", seconds=50),
        step("compile", StepStatus.RUNNING, done=30_000, total=60_000, unit="records", inputs=("a.jsonl",)),
    ]
    run = run_in(RunState.RUNNING, lead, step_states=states)
    client = client_for(lead)

    page = client.get(address("run", run), headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in page
    assert "10,000 dialogues in 50 s, 200 dialogues a second." in page
    assert "30,000 of 60,000 records" in page
    assert 'value="50"' in page
    assert "left" in page
    assert "a.jsonl" in page
    assert "Last sign of life" in page
    assert "hx-swap-oob" not in page


def test_an_ended_run_is_not_asked_for_again_and_takes_its_buttons_along(
    lead: User, client_for: SignedIn
) -> None:
    states = [
        step("verify", StepStatus.FAILED, problem="leakage: 3 records.", gates=(("leakage", "not met"),)),
        step("publish", StepStatus.WAITING),
    ]
    run = run_in(RunState.FAILED, lead, step_states=states)
    client = client_for(lead)

    page = client.get(address("run", run)).content.decode()
    part = client.get(address("run", run), headers={"HX-Request": "true"}).content.decode()

    assert "hx-trigger" not in page
    assert "leakage: 3 records." in page
    assert "Not met" in page
    assert "Run it again" in page
    assert page.count('id="run-deeds"') == part.count('id="run-deeds"') == 1
    assert 'hx-swap-oob="true"' in part


def test_cancel_and_resume(lead: User, client_for: SignedIn) -> None:
    run, client = waiting_run(lead), client_for(lead)

    page = client.post(address("cancel", run), follow=True).content.decode()
    assert "Cancelled" in page
    again = client.post(address("cancel", run), follow=True).content.decode()
    assert "nothing to cancel" in again

    page = client.post(address("resume", run), follow=True).content.decode()
    assert "hx-trigger" in page
    again = client.post(address("resume", run), follow=True).content.decode()
    assert "Only a run that failed or was cancelled can go on" in again
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_a_run_that_is_to_stop_says_so(lead: User, client_for: SignedIn) -> None:
    run = run_in(RunState.RUNNING, lead, cancel_asked_at=timezone.now(), cancel_asked_by=lead)
    page = client_for(lead).get(address("run", run)).content.decode()
    assert "Cancel asked for" in page
    assert "Cancel it" not in page


@pytest.mark.parametrize("who", ["annotator", "adjudicator", "supervisor", "outsider"])
def test_others_find_nothing(
    who: str, lead: User, client_for: SignedIn, request: pytest.FixtureRequest
) -> None:
    run, client = run_in(RunState.FAILED, lead), client_for(request.getfixturevalue(who))
    assert client.get(LIST).status_code == client.post(LIST, ALL_STEPS).status_code == 404
    assert client.get(address("run", run)).status_code == 404
    for name in ("cancel", "resume"):
        assert client.post(address(name, run)).status_code == 404
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert DatasetRun.objects.count() == 1


def test_other_methods_are_refused(lead: User, client_for: SignedIn) -> None:
    run, client = waiting_run(lead), client_for(lead)
    refused = {
        LIST: ("PUT", "DELETE"),
        address("run", run): ("POST", "PUT", "DELETE"),
        address("cancel", run): ("GET", "PUT", "DELETE"),
        address("resume", run): ("GET", "PUT", "DELETE"),
    }
    for place, methods in refused.items():
        assert {client.generic(method, place).status_code for method in methods} == {405}, place


def test_a_run_that_is_not_there(lead: User, client_for: SignedIn) -> None:
    nowhere = reverse("runs:run", args=["00000000-0000-0000-0000-000000000000"])
    assert client_for(lead).get(nowhere).status_code == 404


def test_pages_ask_the_database_little_however_many_runs(lead: User, client_for: SignedIn) -> None:
    run, client = run_in(RunState.DONE, lead), client_for(lead)
    for _ in range(10):
        run_in(RunState.DONE, lead)
    for place in (LIST, address("run", run)):
        client.get(place)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(place)
        assert len(asked) <= MOST_QUERIES_OF_A_PAGE, place


def test_the_data_page_leads_there(lead: User, client_for: SignedIn) -> None:
    assert LIST in client_for(lead).get(reverse("data:sources")).content.decode()
    assert LIST in client_for(lead).get(reverse("admin:index")).content.decode()
