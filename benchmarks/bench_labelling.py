"""What one label costs: saved over HTTP with the next handed out, in small and very large campaigns."""

from __future__ import annotations

import statistics
import time
import uuid
from collections import deque
from typing import Any

from annotation.api import export
from annotation.models import Campaign
from annotation.rehearsal.services import Script, rehearse, set_up
from benchmarks.large_campaign import add_history, as_autovacuum_would, enlarge
from benchmarks.web_server import Person, WebServer, serving
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import GOOD_ANSWERS, make_campaign

WARM_UP, CYCLES, ROUNDS = 30, 200, 3
OWN_SAMPLES = 700
COUNTED_ANEW_EVERY = 10
TARGET = "target: 10 ms CPU, 15 ms p50"
ELSEWHERE = (
    "Potato 2.12: 30 ms CPU, doccano 1.8: 37-45, Label Studio 1.23: 80-100 (same cycle, measured elsewhere)"
)


def run() -> list[dict[str, Any]]:
    """Return the cost of save and next at 5,000 and 1,000,000 samples and after 5,000 own labels."""
    rows = []
    for name, size, history in (
        ("5,000 samples", 5_000, 0),
        ("5,000 own labels behind", 5_000, 5_000),
        ("1,000,000 samples", 1_000_000, 0),
    ):
        rows.append(_measured(name, size, history))
    base = rows[0]["web CPU ms (median)"], rows[0]["p50 ms"]
    for row in rows:
        row["CPU against 5,000"] = f"{row['web CPU ms (median)'] / base[0]:.2f}"
        row["p50 against 5,000"] = f"{row['p50 ms'] / base[1]:.2f}"
        row["for comparison"] = ELSEWHERE if row is rows[0] else ""
    return rows


def run_export() -> list[dict[str, Any]]:
    """Return how long 25,000 labels take as CSV and JSON Lines."""
    lead = _made("export-lead", Role.LEAD)
    people_ = [_made(f"export-{number}", Role.ANNOTATOR) for number in range(5)]
    campaign = make_campaign(lead, people_, samples=20, slug="export")
    for annotator in people_:
        add_history(campaign, annotator, 5_000)
    rows = []
    for name, write in (("CSV", export.as_csv), ("JSON Lines", export.as_jsonl)):
        seconds, size = [], 0
        for _ in range(ROUNDS):
            began = time.perf_counter()
            size = sum(len(piece) for piece in write(campaign))
            seconds.append(time.perf_counter() - began)
        rows.append(
            {
                "export": f"25,000 labels as {name}",
                "seconds (median)": round(statistics.median(seconds), 2),
                "runs": ROUNDS,
                "MB": round(size / 1e6, 1),
                "target": "1 s",
            }
        )
    return rows


def run_rehearsal() -> list[dict[str, Any]]:
    """Return how long a whole campaign of 5 x 5,000 takes in this process."""
    script = Script(training=50, calibration=100, anchors=500, slug="bench-rehearsal")
    told: list[str] = []
    began = time.perf_counter()
    campaign = set_up(script, lead=_made("rehearsal-lead", Role.LEAD), say=told.append)
    made = time.perf_counter() - began
    counts = rehearse(campaign, script, say=told.append)
    labels = sum(each["labelled"] for each in counts.values())
    return [
        {
            "rehearsal": "5 annotators x 5,000 samples, in process",
            "labels": labels,
            "set-up s": round(made, 1),
            "seconds in all": round(time.perf_counter() - began, 1),
            "runs": 1,
            "target": "300 s",
        }
    ]


def _measured(name: str, size: int, history: int) -> dict[str, Any]:
    slug = f"bench-{size}-{history}"
    annotator = _made(f"{slug}-annotator", Role.ANNOTATOR)
    campaign = make_campaign(
        _made(f"{slug}-lead", Role.LEAD), [annotator], samples=OWN_SAMPLES, slug=slug, labels_per_sample=1
    )
    enlarge(campaign, size - OWN_SAMPLES)
    if history:
        add_history(campaign, annotator, history)
    as_autovacuum_would()
    with serving() as server:
        cpu, database, wall = _cycles(server, campaign, annotator)
    return {
        "save and next over HTTP": name,
        "runs": f"{ROUNDS} x {CYCLES}",
        "web CPU ms (median)": round(statistics.median(cpu), 1),
        "PostgreSQL CPU ms": round(statistics.median(database), 1),
        "p50 ms": round(statistics.median(wall), 1),
        "p95 ms": round(statistics.quantiles(wall, n=20)[18], 1),
        "target": TARGET,
    }


def _cycles(
    server: WebServer, campaign: Campaign, annotator: User
) -> tuple[list[float], list[float], list[float]]:
    """Return CPU time of web and database per cycle, by round, and the wall time of each cycle."""
    person = server.person(people.signed_in(annotator))
    hand = Hand(person, campaign)
    for _ in range(WARM_UP):
        hand.save_and_go_on()
    cpu, database, wall = [], [], []
    for _ in range(ROUNDS):
        web_before, database_before = server.cpu_ms(), server.postgres_cpu_ms()
        for _ in range(CYCLES):
            began = time.perf_counter()
            hand.save_and_go_on()
            wall.append(1000 * (time.perf_counter() - began))
        cpu.append((server.cpu_ms() - web_before) / CYCLES)
        database.append((server.postgres_cpu_ms() - database_before) / CYCLES)
    return cpu, database, wall


class Hand:
    """Three samples in hand, as the page has them."""

    def __init__(self, person: Person, campaign: Campaign) -> None:
        self.person, self.campaign = person, campaign
        self.base = f"/api/v1/campaigns/{campaign.slug}/"
        first = person.post(f"{self.base}next/", {"count": 3})
        self.cards = deque(first["cards"])
        self.saved = 0

    def save_and_go_on(self) -> None:
        card = self.cards.popleft()
        self.saved += 1
        body = {
            "key": str(uuid.uuid4()),
            "guideline": str(self.campaign.guideline_id),
            "answers": GOOD_ANSWERS,
            "active_seconds": 5,  # so that the day is not over before the cycles are
            "held": [each["assignment"] for each in self.cards],
            "count": 1,
            "showing": self.cards[0]["assignment"],
            "wants_standing": self.saved % COUNTED_ANEW_EVERY == 0,  # as the page does
        }
        stored = self.person.post(f"{self.base}assignments/{card['assignment']}/label/", body)
        self.cards.extend(stored["cards"])


def _made(name: str, role: Role) -> User:
    return people.make(name, role)
