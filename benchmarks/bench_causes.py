"""Rehearsals with something planted: how often the ranking of causes and the alerts find it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from annotation.agreement.alerts import alerts
from annotation.agreement.causes import CauseKind, causes
from annotation.agreement.dimension_labels import DimensionLabels
from annotation.agreement.disagreements import Material
from annotation.agreement.reading import read_campaign
from annotation.models import Label
from annotation.rehearsal.faults import parse_fault
from annotation.rehearsal.services import Script, rehearse, set_up
from annotation.schemes.definition import parse_scheme
from annotation.schemes.shipped import default_scheme
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people

SEEDS = range(1, 11)
SEEDS_OF_ALERTS = range(1, 4)
N_ANNOTATORS = 5
N_SAMPLES, N_SAMPLES_OF_ALERTS = 120, 250
CRISIS, MODALITY = "crisis_intensity", "modality_primary"
CONFUSABLE = (("cbt", "supportive"), ("cbt", "person_centred"), ("person_centred", "supportive"))
FAULTY = ("biased:1", "lazy:2", "drifting:3")
Row = dict[str, Any]
Dimensions = Mapping[str, DimensionLabels]
Codes = Mapping[int, str]
Cause = tuple[CauseKind, frozenset[Any]]


def run() -> list[Row]:
    """One row for each planted cause, and one for the clinicians named."""
    lead = people.make("planting-lead", Role.LEAD)
    planted = {
        "two codes that one clinician swaps": _swap,
        "two clinicians who read one level higher": _pair,
        "two codes that nobody tells apart": _merger,
    }
    return [*(_ranked(lead, name, plant) for name, plant in planted.items()), _named(lead)]


def _swap(seed: int) -> tuple[list[str], str, Callable[[Codes], Cause]]:
    one, other = CONFUSABLE[seed % 3]
    who = 1 + seed % N_ANNOTATORS
    faults = [f"swapped:{who}:{MODALITY}:{one}:{other}"]
    return faults, MODALITY, lambda code_of: (CauseKind.SWAPPED_CODES, frozenset([code_of[who], one, other]))


def _pair(seed: int) -> tuple[list[str], str, Callable[[Codes], Cause]]:
    first = 1 + seed % N_ANNOTATORS
    second = 1 + (seed + 1 + seed // N_ANNOTATORS) % N_ANNOTATORS
    faults = [f"biased:{first}", f"biased:{second}"]
    return (
        faults,
        CRISIS,
        lambda code_of: (
            CauseKind.TWO_CLINICIANS,
            frozenset([code_of[first], code_of[second]]),
        ),
    )


def _merger(seed: int) -> tuple[list[str], str, Callable[[Codes], Cause]]:
    one, other = CONFUSABLE[seed % 3]
    cause = CauseKind.CONFUSED_CODES, frozenset([one, other])
    return [f"merged:{MODALITY}:{one}:{other}"], MODALITY, lambda code_of: cause


def _ranked(lead: User, name: str, plant: Callable[[int], Any]) -> Row:
    began, n_first, n_labels = time.perf_counter(), 0, 0
    for seed in SEEDS:
        faults, key, expected = plant(seed)
        dimensions, code_of, given = _rehearsed(lead, seed, N_SAMPLES, faults)
        labels = dimensions[key]
        first = causes(Material(labels.ratings, labels.scale)).ranked[0]
        n_first += (first.kind, frozenset(first.of)) == expected(code_of)
        n_labels += given
    found = f"first in {n_first} of {len(SEEDS)}"
    return _row(name, found, "at least 9 of 10", N_SAMPLES, n_labels, began)


def _named(lead: User) -> Row:
    began, n_right, n_labels = time.perf_counter(), 0, 0
    for seed in SEEDS_OF_ALERTS:
        dimensions, code_of, given = _rehearsed(lead, seed, N_SAMPLES_OF_ALERTS, FAULTY)
        named = {
            alert.rater
            for labels in dimensions.values()
            for alert in alerts(labels.ratings, labels.scale, labels.course)
        }
        n_right += named == {code_of[number] for number in (1, 2, 3)}
        n_labels += given
    name = "one biased, one lazy, one drifting clinician"
    found = f"these three and nobody else named in {n_right} of {len(SEEDS_OF_ALERTS)}"
    return _row(name, found, "each named", N_SAMPLES_OF_ALERTS, n_labels, began)


def _rehearsed(
    lead: User, seed: int, samples: int, faults: list[str] | tuple[str, ...]
) -> tuple[Dimensions, Codes, int]:
    """The labels of a rehearsal, the annotators' codes by number, and how many labels were given."""
    scheme = parse_scheme(default_scheme())
    planted = tuple(parse_fault(words, annotators=N_ANNOTATORS, scheme=scheme) for words in faults)
    slug = f"planted-{planted[0].kind}-{len(planted)}-{seed}"
    script = Script(samples=samples, anchors=samples, seed=seed, slug=slug, faults=planted)
    campaign = set_up(script, lead=lead, say=lambda words: None)
    rehearse(campaign, script, say=lambda words: None)
    code_of = {
        number: User.objects.get(email=script.address(number)).code for number in range(1, N_ANNOTATORS + 1)
    }
    return read_campaign(campaign).dimensions, code_of, Label.objects.filter(campaign=campaign).count()


def _row(name: str, found: str, promised: str, samples: int, labels: int, began: float) -> Row:
    return {
        "planted": name,
        "found": found,
        "promised": promised,
        "rehearsal": f"{N_ANNOTATORS} annotators x {samples} samples, in process",
        "labels in all": labels,
        "seconds in all": round(time.perf_counter() - began),
    }
