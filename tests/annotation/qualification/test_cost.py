"""What the gate costs: no question more, and only index look-ups in the one that hands out."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.assignment.queue import LEASE_ONE, hand_out
from annotation.models import Campaign
from prometheus_site.accounts.models import User
from tests.annotation.worlds import make_campaign


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_campaign(lead, [annotator, second_annotator])


def asked_by_handing_out(campaign: Campaign, annotator: User) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(hand_out(campaign=campaign, annotator=annotator).slots) == 1
    return len(queries)


def test_the_gate_is_no_question_of_its_own(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    with_gate = asked_by_handing_out(campaign, annotator)
    Campaign.objects.filter(pk=campaign.pk).update(requires_qualification=False)
    campaign.refresh_from_db()
    assert asked_by_handing_out(campaign, second_annotator) == with_gate


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def test_it_finds_one_row_by_its_key(campaign: Campaign, annotator: User) -> None:
    now = timezone.now()
    named: dict[str, Any] = {
        "lease": uuid.uuid4(),
        "now": now,
        "until": now + timedelta(minutes=30),
        "rested_before": now,
        "campaign": campaign.pk,
        "annotator": annotator.pk,
        "held": [],
        "severe": True,
    }
    with connection.cursor() as cursor:
        # These tables are too small for an index otherwise, and for telling one way to use it from another.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + LEASE_ONE, named)
        plan = cursor.fetchone()[0][0]["Plan"]
    gate = [node for node in nodes(plan) if node.get("Relation Name") == "annotation_admission"]
    assert len(gate) == 1, "looked up once, however many rows are considered"
    assert "Index" in gate[0]["Node Type"]
    assert gate[0]["Actual Loops"] == 1
