"""What the agreement page costs: the reading, the figures, and clinicians who save while a lead watches."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection

from annotation.agreement.reading import CampaignReader, read_campaign
from annotation.agreement_page.current import LAYOUT
from annotation.agreement_page.page import context_of, dimension_named, rendered_parts
from annotation.models import Campaign
from benchmarks.bench_labelling import Hand
from benchmarks.large_campaign import add_overlap, as_autovacuum_would
from benchmarks.web_server import serving
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import make_campaign

SLUG, ANNOTATORS, OVERLAP_ITEMS = "bench-agreement", 5, 5_000
OWN_SAMPLES = 1_400
RUNS = 7
WARM_UP, CYCLES = 30, 600
ELSEWHERE = 1_400  # samples for the hand that is measured: a day of two hours holds no more
SECONDS_BETWEEN_LABELS = 0.1
SECONDS_PER_LABEL = 45  # as plans expect of a clinician
DIMENSION = "crisis_intensity"
WATCHING = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
import django
django.setup()
from annotation.agreement_page.news import LOOK_EVERY_SECONDS, AgreementNews
source = AgreementNews(sys.argv[1], sys.argv[2], has_names=False)
said = 0
while True:
    said += bool(source.changed_parts())
    print(said, flush=True)
    time.sleep(LOOK_EVERY_SECONDS)
"""


def run() -> list[dict[str, Any]]:
    """Return what 25,000 labels cost, and what a save costs beside a lead who watches them."""
    lead = people.make(f"{SLUG}-lead", Role.LEAD)
    annotators = [people.make(f"{SLUG}-annotator-{n}", Role.ANNOTATOR) for n in range(ANNOTATORS)]
    campaign = make_campaign(lead, annotators, samples=OWN_SAMPLES, slug=SLUG, labels_per_sample=ANNOTATORS)
    add_overlap(campaign, f"{SLUG}-annotator-%", OVERLAP_ITEMS)
    as_autovacuum_would()
    return [*_figures(campaign), *_saves(campaign, annotators, lead)]


def _figures(campaign: Campaign) -> list[dict[str, Any]]:
    dimension, name = dimension_named(campaign, DIMENSION), f"agreement-{LAYOUT}-{campaign.pk}-{DIMENSION}"

    def whole_page() -> None:
        cache.delete(name)
        rendered_parts(context_of(campaign, dimension, has_names=False))

    reader = CampaignReader()

    def one_label_later() -> None:
        cache.set(name, replace(cache.get(name), version="the label before"))
        rendered_parts(context_of(campaign, dimension, has_names=False, read=reader))

    n_labels = ANNOTATORS * OVERLAP_ITEMS
    shown = {
        f"reading {n_labels:,} labels": (lambda: read_campaign(campaign), "150 ms"),
        "every figure of the page, read, computed and rendered": (whole_page, "1 s"),
        "the same for one who watches, when a label has come": (one_label_later, "1 s"),
        "the page's figures when nothing has changed": (
            lambda: context_of(campaign, dimension, has_names=False),
            "",
        ),
    }
    return [
        {
            "agreement page": name,
            "ms (median)": round(_median_ms(measured), 1),
            "runs": RUNS,
            "target": target,
        }
        for name, (measured, target) in shown.items()
    ]


def _median_ms(measured: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        measured()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _saves(campaign: Campaign, annotators: list[User], lead: User) -> list[dict[str, Any]]:
    """Return the time of save and next without and with the page open, in turns on the same server.

    Somebody labels elsewhere on the site ten times a second and is measured, while the watched campaign gets
    labels at the pace of its five clinicians; and once more with ten labels a second in the watched one.
    """
    other = make_campaign(lead, annotators[1:2], samples=ELSEWHERE, slug=f"{SLUG}-other", labels_per_sample=1)
    with serving() as server:
        watched = Hand(server.person(people.signed_in(annotators[0])), campaign)
        elsewhere = Hand(server.person(people.signed_in(annotators[1])), other)
        for _ in range(WARM_UP):
            watched.save_and_go_on()
            elsewhere.save_and_go_on()
        alone, beside, pushes = [], [], 0
        for _ in range(2):
            alone += _times(elsewhere, CYCLES // 2, meanwhile=watched)
            with _watching(campaign) as refreshes:
                beside += _times(elsewhere, CYCLES // 2, meanwhile=watched)
                pushes += refreshes()
        with _watching(campaign) as refreshes:
            crowded = _times(watched, CYCLES // 2)
            many = refreshes()
    named = {
        "nobody watches": alone,
        f"a lead watches five clinicians ({pushes} refreshes)": beside,
        f"a lead watches ten labels a second ({many} refreshes)": crowded,
    }
    return [
        {
            "agreement page": f"save and next while {name}",
            "runs": len(times),
            "p50 ms": round(statistics.median(times), 1),
            "p95 ms": round(_p95(times), 1),
            "target": "p95 within 10 %" if times is beside else "",
            "p95 against nobody": "" if times is alone else f"{_p95(times) / _p95(alone):.2f}",
        }
        for name, times in named.items()
    ]


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[18]


def _times(hand: Hand, cycles: int, meanwhile: Hand | None = None) -> list[float]:
    """Return the milliseconds of each save; meanwhile another hand labels at the pace of five clinicians."""
    times = []
    hand.person.connection.close()  # the server has ended it meanwhile: it is opened anew
    due = time.perf_counter()
    for _ in range(cycles):
        if meanwhile is not None and time.perf_counter() >= due:
            meanwhile.person.connection.close()
            meanwhile.save_and_go_on()
            due += SECONDS_PER_LABEL / ANNOTATORS
        began = time.perf_counter()
        hand.save_and_go_on()
        took = time.perf_counter() - began
        times.append(1000 * took)
        time.sleep(max(0.0, SECONDS_BETWEEN_LABELS - took))
    return times


@contextmanager
def _watching(campaign: Campaign) -> Iterator[Callable[[], int]]:
    """Follow the campaign as the streams process does while a lead's page is open."""
    command = [sys.executable, "-c", WATCHING, str(campaign.pk), DIMENSION]
    environment = os.environ | {"BENCH_DATABASE": str(connection.settings_dict["NAME"])}
    with TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=said)

        def refreshes() -> int:
            said.seek(0)
            return max(map(int, said.read().split()), default=0)

        try:
            while process.poll() is None and not refreshes():
                time.sleep(0.1)  # until the first figures are there
            yield refreshes
        finally:
            process.terminate()
            process.wait()
