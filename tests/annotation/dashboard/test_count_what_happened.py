"""The numbers against a plain count of the stored rows, which knows nothing of the figures."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import krippendorff
import numpy as np
from django.test import Client
from django.urls import reverse

from annotation.models import Label, LabelLock, LabelUndo
from annotation.schemes.definition import Dimension, parse_scheme
from prometheus_site.accounts.models import User
from tests.annotation.dashboard.busy import BusyWorld, Page, make_busy_world, third_annotator

SignIn = Callable[[User], Client]


def test_every_number_says_what_happened(
    lead: User, annotator: User, second_annotator: User, client_for: SignIn
) -> None:
    world = make_busy_world(lead, [annotator, second_annotator, third_annotator()])
    client = client_for(lead)
    html = client.get(reverse("annotation:dashboard", args=["busy"])).content.decode()
    agreement = client.get(reverse("annotation:agreement", args=["busy"])).content.decode()
    page = Page(html + agreement)
    shown = {link.anchor.removeprefix("figure-"): int(link.text) for link in page.links}
    expected = _slots(world) | _labels(world, annotator)
    assert {anchor: shown[anchor] for anchor in expected} == expected
    for dimension in parse_scheme(world.campaign.scheme.definition).dimensions:
        if dimension.is_headline:
            facts, alpha = _agreement(world, dimension)
            assert {anchor: shown[anchor] for anchor in facts} == facts
            assert f'id="alpha-{dimension.key}"' in agreement
            assert f">{alpha:.3f}</a>" in agreement
            assert f"alpha {alpha:.3f}," in html


def _slots(world: BusyWorld) -> dict[str, int]:
    slots = list(world.campaign.assignments.all())
    states = [slot.state for slot in slots]
    of_sample = defaultdict(set)
    for slot in slots:
        if slot.purpose != "repeat":
            of_sample[slot.sample_id].add(slot.state)
    repeats = [slot.state for slot in slots if slot.purpose == "repeat"]
    waiting = sum(states.count(state) for state in ("waiting", "leased", "resting"))
    assert states.count("passed") == 1
    assert states.count("withdrawn") > 0, "somebody left"
    return {
        "samples": world.campaign.samples.count(),
        "finished": sum(
            "labelled" in found and not found & {"waiting", "leased"} for found in of_sample.values()
        ),
        "planned": waiting + states.count("labelled"),
        "labelled": states.count("labelled"),
        "waiting": waiting,
        "queued": states.count("waiting"),
        "handed": states.count("leased"),
        "resting": states.count("resting"),
        "withdrawn": len({slot.sample_id for slot in slots if slot.state in ("withdrawn", "passed")}),
        "repeats": sum(state not in ("withdrawn", "passed") for state in repeats),
        "repeated": repeats.count("labelled"),
        "flagged": 1,
    }


def _labels(world: BusyWorld, annotator: User) -> dict[str, int]:
    labels = list(Label.objects.filter(campaign=world.campaign).select_related("assignment", "guideline"))
    undone = set(LabelUndo.objects.values_list("label", flat=True))
    locked = set(LabelLock.objects.values_list("label", flat=True))
    superseded = {label.supersedes_id for label in labels}
    first = [label for label in labels if label.reason_id is None and label.pk not in undone]
    standing = [label for label in labels if label.pk not in superseded | undone]
    assert len(undone) == 1
    severe = [label for label in standing if label.answers.get("crisis_intensity") in ("3", "4", "5")]
    newest_day = max(f"{label.created_at:%Y-%m-%d}" for label in first)
    return {
        "given": len(first),
        f"given-{newest_day}": sum(f"{label.created_at:%Y-%m-%d}" == newest_day for label in first),
        "standing-1.1": sum(label.guideline.version == "1.1" for label in standing),
        "locked": sum(label.pk in locked for label in first),
        "unlocked": sum(label.pk not in locked for label in first),
        "corrections": len(labels) - len(first) - len(undone),
        "notes": sum(label.note_id is not None for label in standing),
        "severe": len(severe),
        f"severe-{annotator.code}": sum(label.annotator_id == annotator.pk for label in severe),
        "outside": sum(label.assignment.purpose in ("training", "repeat") for label in first),
    }


def _agreement(world: BusyWorld, dimension: Dimension) -> tuple[dict[str, int], float]:
    locked = set(LabelLock.objects.values_list("label", flat=True))
    counting = [
        label
        for label in Label.objects.select_related("assignment", "sample")
        if label.campaign_id == world.campaign.pk
        and label.reason_id is None
        and label.pk in locked
        and label.assignment.purpose in ("overlap", "anchor")
    ]
    by_sample: dict[Any, list[Label]] = defaultdict(list)
    for label in counting:
        if label.answers.get(dimension.key) is not None:
            by_sample[label.sample].append(label)
    overlap = {sample: labels for sample, labels in by_sample.items() if len(labels) > 1}
    used = [label for labels in overlap.values() for label in labels]
    table = np.zeros((len(overlap), len(dimension.codes)))
    for row, labels in enumerate(overlap.values()):
        for label in labels:
            table[row, dimension.codes.index(label.answers[dimension.key])] += 1
    alpha = krippendorff.alpha(
        value_counts=table, level_of_measurement="ordinal" if dimension.scale == "ordinal" else "nominal"
    )
    facts = {
        "overlap-items": len(overlap),
        "conversations": len({sample.conversation_id for sample in overlap}),
        "raters": len({label.annotator_id for label in used}),
        "agreement-labels": len(used),
        "single-label-samples": sum(len(labels) == 1 for labels in by_sample.values()),
        "not-eligible": sum(dimension.key not in label.answers for label in counting),
    }
    return {f"{key}-{dimension.key}": value for key, value in facts.items()}, float(alpha)
