"""What every save asks the database reads few rows, however old the statistics are and whatever is behind."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotation.assignment import handed_rows, queue, sittings
from annotation.assignment.queue import hand_out
from annotation.models import Campaign
from annotation.wellbeing import exposure
from benchmarks.large_campaign import add_history, as_autovacuum_would, enlarge
from prometheus_site.accounts.models import User
from tests.annotation.worlds import make_campaign

BEHIND, OF_OTHERS = 2_000, 3_000
UNNAMED = {"what a card shows": ["slot"], "lock the eleventh": ["annotator", "campaign"]}
UNNOTICED = 50  # of more new rows autovacuum takes statistics within a minute
FEW_ROWS = 100
STATEMENTS = {
    "hand out": queue.LEASE_ONE,
    "what a card shows": handed_rows.HANDED,
    "keep what is held": queue.RENEW,
    "note what is shown": queue.MARK_SHOWN,
    "care": exposure.STANDING,
    "severe just read": exposure.SEVERE_JUST_READ,
    "lock the eleventh": sittings.LOCK_ELEVENTH,
}


@pytest.fixture(params=["no statistics", "old statistics", "statistics"])
def campaign(request: pytest.FixtureRequest, committed_db: str, lead: User, annotator: User) -> Campaign:
    """Somebody labels here with thousands of labels behind and thousands of samples of others beside."""
    if request.param == "old statistics":
        earlier = make_campaign(lead, [annotator], samples=20, slug="earlier", labels_per_sample=1)
        enlarge(earlier, OF_OTHERS)
        add_history(earlier, annotator, BEHIND)
        as_autovacuum_would()
    made = make_campaign(lead, [annotator], samples=60, labels_per_sample=1)
    enlarge(made, OF_OTHERS)
    add_history(made, annotator, UNNOTICED if request.param == "no statistics" else BEHIND)
    if request.param == "statistics":
        as_autovacuum_would()
    hand_out(campaign=made, annotator=annotator, count=3)
    return made


def values(campaign: Campaign, annotator: User) -> dict[str, Any]:
    now = timezone.now()
    held = campaign.assignments.filter(annotator=annotator, state="leased").order_by("screen_order")
    return {
        "campaign": campaign.pk,
        "annotator": annotator.pk,
        "held": [slot.pk for slot in held],
        "slot": held[0].pk,
        "lease": uuid.uuid4(),
        "now": now,
        "until": now + timedelta(minutes=30),
        "soon": now + timedelta(minutes=15),
        "rested_before": now - timedelta(minutes=10),
        "severe": True,
        "minutes": 120,
        "of_day": 25,
        "of_sitting": 10,
    }


def plan_of(name: str, named: dict[str, Any], mode: str) -> dict[str, Any]:
    """Return how PostgreSQL answers the statement, prepared and planned in this way, with what it read."""
    sql, order = STATEMENTS[name], list(dict.fromkeys(re.findall(r"%\((\w+)\)s", STATEMENTS[name])))
    given = [named[key] for key in order] if order else [named[key] for key in UNNAMED[name]]
    for place, key in enumerate(order, start=1):
        sql = sql.replace(f"%({key})s", f"${place}")
    places = iter(range(1, len(given) + 1))
    sql = re.sub("%s", lambda _: f"${next(places)}", sql)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL plan_cache_mode = {mode}")
        cursor.execute(f"PREPARE asked AS {sql}")
        marks = ", ".join(["%s"] * len(given))
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ({marks})", given)
        plan: dict[str, Any] = cursor.fetchone()[0][0]["Plan"]
        cursor.execute("DEALLOCATE asked")
        transaction.set_rollback(True)
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def rows_read(node: dict[str, Any]) -> float:
    of_one_loop = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return float(of_one_loop * node["Actual Loops"])


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_no_statement_of_a_save_reads_many_rows(campaign: Campaign, annotator: User, mode: str) -> None:
    named = values(campaign, annotator)
    greedy = {
        (name, node["Node Type"], node.get("Index Name"), rows_read(node))
        for name in STATEMENTS
        for node in nodes(plan_of(name, named, mode))
        if rows_read(node) > FEW_ROWS
    }
    assert greedy == set()
