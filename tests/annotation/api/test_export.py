"""GET export.csv and export.jsonl: every label, for leads who do not label there themselves."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from annotation.assignment import sittings
from annotation.assignment.planning import revise_plan
from annotation.labelling.services import correct_label, undo_label
from annotation.models import Campaign, Label, LabelsOpened
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent, Action
from tests import people
from tests.annotation.api.calling import caller, token_of
from tests.annotation.planned import give, make_planned_campaign, queue_of
from tests.annotation.worlds import join, label, make_campaign, submission

ClientFor = Callable[[User], Client]
NOTE = "Zaunkoenig said he will not see Sunday"


def url(campaign: Campaign, suffix: str = "csv") -> str:
    return f"/api/v1/campaigns/{campaign.slug}/export.{suffix}"


@pytest.fixture
def labels(campaign: Campaign, annotator: User) -> dict[str, Label]:
    """A label that stands, one undone and its successor, one corrected and its correction."""
    first, second, third = queue_of(campaign, annotator)[:3]
    stands = give(campaign, first, note=NOTE, active_seconds=30)
    undone = give(campaign, second)
    undo_label(annotator=annotator, label=undone)
    again = give(campaign, second)
    corrected = give(campaign, third)
    correction = correct_label(
        annotator=annotator, label=corrected, submission=submission(campaign, reason=NOTE)
    ).label
    sittings.end(campaign=campaign, annotator=annotator)
    return {
        "stands": stands,
        "undone": undone,
        "again": again,
        "corrected": corrected,
        "correction": correction,
    }


def as_csv(client: Client, campaign: Campaign) -> list[dict[str, str]]:
    answer = client.get(url(campaign))
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode())))


def as_jsonl(client: Client, campaign: Campaign) -> list[dict[str, Any]]:
    answer = client.get(url(campaign, "jsonl"))
    assert answer.status_code == 200
    return [json.loads(line) for line in b"".join(answer).splitlines()]


def test_works(campaign: Campaign, labels: dict[str, Label], lead: User, client_for: ClientFor) -> None:
    client = client_for(lead)
    in_lines, in_cells = as_jsonl(client, campaign), as_csv(client, campaign)
    by_pk = {row["label"]: row for row in in_lines}
    assert set(by_pk) == {str(one.pk) for one in labels.values()}
    assert {row["label"] for row in in_cells} == set(by_pk)
    stands = {name: by_pk[str(one.pk)]["stands"] for name, one in labels.items()}
    assert stands == {
        "stands": True,
        "undone": False,
        "again": True,
        "corrected": False,
        "correction": True,
    }
    assert by_pk[str(labels["undone"].pk)]["is_undone"] is True
    assert by_pk[str(labels["undone"].pk)]["locked_at"] is None
    assert by_pk[str(labels["correction"].pk)]["is_correction"] is True
    assert by_pk[str(labels["again"].pk)]["supersedes"] == str(labels["undone"].pk)
    first = by_pk[str(labels["stands"].pk)]
    assert first["answers"] == labels["stands"].answers
    assert first["annotator"] == labels["stands"].annotator.code
    assert first["active_seconds"] == 30
    assert first["locked_at"] is not None


def test_csv_and_jsonl_say_the_same(
    campaign: Campaign, labels: dict[str, Label], lead: User, client_for: ClientFor
) -> None:
    client = client_for(lead)
    for cells, row in zip(as_csv(client, campaign), as_jsonl(client, campaign), strict=True):
        assert cells["label"] == row["label"]
        assert cells["sample"] == str(row["sample"])
        assert cells["stands"] == str(row["stands"]).lower()
        assert cells["empathy_global"] == row["answers"]["empathy_global"]
        assert cells["crisis_not_ratable"] == "false"


def test_no_words_no_names_no_addresses(
    campaign: Campaign, labels: dict[str, Label], lead: User, annotator: User, client_for: ClientFor
) -> None:
    for suffix in ("csv", "jsonl"):
        body = b"".join(client_for(lead).get(url(campaign, suffix)))
        for secret in ("Zaunkoenig", "what was said", annotator.email, annotator.display_name):
            assert secret.encode() not in body


def test_is_written_down_and_ends_blindness(
    campaign: Campaign, labels: dict[str, Label], lead: User, client_for: ClientFor
) -> None:
    as_csv(client_for(lead), campaign)
    event = AccessEvent.objects.get(actor=lead, action=Action.EXPORTED)
    assert (event.object_type, event.object_id) == ("campaign", str(campaign.pk))
    assert LabelsOpened.objects.get().reader == lead


def test_a_lead_who_still_labels_there_gets_nothing(campaign: Campaign, labels: dict[str, Label]) -> None:
    both = people.make("both", Role.LEAD, Role.ANNOTATOR)
    join(campaign, both)
    revise_plan(campaign=campaign, because="somebody joined")
    for suffix in ("csv", "jsonl"):
        answer = Client().get(url(campaign, suffix), headers=token_of(both))
        assert (answer.status_code, answer.json()["code"]) == (409, "blind")
    assert not LabelsOpened.objects.exists()


def test_the_file_says_what_it_is(
    campaign: Campaign, labels: dict[str, Label], lead: User, client_for: ClientFor
) -> None:
    answer = client_for(lead).get(url(campaign))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="planned-labels.csv"'
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_simulated_campaign_says_so(lead: User, client_for: ClientFor) -> None:
    simulated = make_campaign(lead, [], slug="rehearsal", is_simulated=True)
    program = people.make("program", Role.ANNOTATOR)
    User.objects.filter(pk=program.pk).update(is_simulated=True)
    program.refresh_from_db()
    join(simulated, program)
    revise_plan(campaign=simulated, because="somebody joined")
    label(simulated, program, 1)
    client = client_for(lead)
    assert "simulated" in client.get(url(simulated)).headers["Content-Disposition"]
    assert [row["is_simulated"] for row in as_jsonl(client, simulated)] == [True]


def test_other_people_find_nothing(
    campaign: Campaign, annotator: User, adjudicator: User, outsider: User, client_for: ClientFor
) -> None:
    stranger_lead = people.make("other-lead", Role.LEAD)
    for suffix in ("csv", "jsonl"):
        for person in (annotator, adjudicator, outsider, stranger_lead):
            assert client_for(person).get(url(campaign, suffix)).status_code == 404
        assert Client().get(url(campaign, suffix)).status_code == 401
        assert caller(annotator, campaign).call(f"export.{suffix}", method="get").status_code == 404


def test_only_get(campaign: Campaign, lead: User, client_for: ClientFor) -> None:
    assert client_for(lead).post(url(campaign), {}, content_type="application/json").status_code == 405


def test_an_empty_campaign_gives_a_header_and_no_rows(lead: User, client_for: ClientFor) -> None:
    empty = make_planned_campaign(lead, [], samples=1, slug="empty")
    assert as_csv(client_for(lead), empty) == []
    assert as_jsonl(client_for(lead), empty) == []
