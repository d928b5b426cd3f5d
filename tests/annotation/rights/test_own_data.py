"""A person takes along what is kept about them, and nothing about anybody else."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.assignment.queue import assign_next
from annotation.labelling.unlabelled import keep_draft, pass_sample
from annotation.models import Campaign
from annotation.wellbeing.services import check_in, opt_out
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent, Action
from tests.annotation.worlds import label, make_campaign

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
OWN, FOREIGN = "sentinel of the own", "sentinel of another"


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    made = make_campaign(lead, [annotator, second_annotator])
    for person, words in ((annotator, OWN), (second_annotator, FOREIGN)):
        label(made, person, 1, note=f"note: {words}")
        slot = assign_next(campaign=made, annotator=person)
        assert slot is not None
        pass_sample(annotator=person, assignment=slot, key=uuid.uuid4())
        slot = assign_next(campaign=made, annotator=person)
        assert slot is not None
        keep_draft(annotator=person, assignment=slot, answers={}, note=f"draft: {words}")
        check_in(user=person, answers={"mood": "2", "words": f"check-in: {words}"})
        opt_out(user=person, topic=f"topic: {words}")
    return made


def downloaded(client: Client) -> dict[str, Any]:
    response = client.get(reverse("annotation:download_own_data"))
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = json.loads(response.content)
    return found


def test_all_of_it_is_there(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    found = downloaded(client_for(annotator))
    assert found["person"]["code"] == annotator.code
    assert [one["note"] for one in found["labels"]] == [f"note: {OWN}"]
    assert found["labels"][0]["answers"]["modality_primary"] == "supportive"
    assert [one["note"] for one in found["drafts"]] == [f"draft: {OWN}"]
    assert [one["campaign"] for one in found["passes"]] == [campaign.slug]
    assert found["care"]["check_ins"][0]["answers"]["words"] == f"check-in: {OWN}"
    assert found["care"]["topics_not_read"][0]["topic"] == f"topic: {OWN}"
    assert {one["document"] for one in found["signed_documents"]} >= {"consent"}
    assert found["licences"][0]["number"] == "MADE-UP 1"
    assert found["training"]
    assert found["campaigns"][0]["campaign"] == campaign.slug
    assert [one["role"] for one in found["roles"]] == ["annotator"]


def test_nobody_elses_is_in_it(
    campaign: Campaign, annotator: User, second_annotator: User, lead: User, client_for: ClientFor
) -> None:
    written = json.dumps(downloaded(client_for(annotator)))
    for other in (second_annotator, lead):
        assert other.code not in written
        assert other.email not in written
        assert str(other.pk) not in written
    assert FOREIGN not in written
    assert "what was said" not in written  # no text of a conversation


def test_it_is_recorded_and_the_page_leads_there(
    campaign: Campaign, annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    page = client.get(reverse("annotation:own_data")).content.decode()
    assert reverse("annotation:download_own_data") in page
    downloaded(client)
    recorded = AccessEvent.objects.get(object_type="own_data")
    assert (recorded.actor, recorded.action) == (annotator, Action.EXPORTED)


def test_the_command_writes_a_file_for_its_owner_only(
    campaign: Campaign, annotator: User, tmp_path: Path
) -> None:
    file = tmp_path / "own.json"
    call_command("export_own_data", annotator.code, str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert OWN in file.read_text()
    with pytest.raises(CommandError, match="was not written"):
        call_command("export_own_data", annotator.code, str(file))
    with pytest.raises(CommandError, match="Nobody has the code"):
        call_command("export_own_data", "C-NOBODY", str(tmp_path / "other.json"))
