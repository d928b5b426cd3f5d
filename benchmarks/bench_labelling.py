"""What one save costs the server: store the label, lease the next sample, render it."""

from __future__ import annotations

import statistics
import time
import uuid
from typing import Any

from django.urls import reverse

from annotation.assignment.services import assign_next
from annotation.models import Assignment, AssignmentState, Campaign
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import GOOD_ANSWERS, make_campaign

SAMPLES = 1000
CYCLES = 200


def run() -> list[dict[str, Any]]:
    """Return a row with the process time and the wall time of save and next, in this process."""
    lead, annotator = people.make("bench-lead", Role.LEAD), people.make("bench-annotator", Role.ANNOTATOR)
    campaign = make_campaign(lead, [annotator], samples=SAMPLES, slug="bench", labels_per_sample=1)
    client = people.signed_in(annotator)
    wall, cpu = [], []
    for _ in range(CYCLES):
        url, data = _next_save(campaign, annotator)
        began, began_cpu = time.perf_counter(), time.process_time()
        response = client.post(url, data, headers={"HX-Request": "true"})
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - began_cpu) * 1000)
        assert response.status_code == 200, response.status_code  # noqa: S101
    return [
        {
            "cycle": f"save and next, {SAMPLES} samples, no network",
            "runs": CYCLES,
            "web process CPU ms (median)": round(statistics.median(cpu), 1),
            "wall ms (median)": round(statistics.median(wall), 1),
            "wall ms (p95)": round(statistics.quantiles(wall, n=20)[18], 1),
        }
    ]


def _next_save(campaign: Campaign, annotator: User) -> tuple[str, dict[str, str]]:
    leased = Assignment.objects.filter(annotator=annotator, state=AssignmentState.LEASED).first()
    current = leased or assign_next(campaign=campaign, annotator=annotator)
    assert current is not None  # noqa: S101
    answers = {f"answer-{key}": str(value) for key, value in GOOD_ANSWERS.items()}
    url = reverse("annotation:save_label", args=[campaign.slug, current.pk])
    return url, answers | {"key": str(uuid.uuid4()), "guideline": str(campaign.guideline_id)}
