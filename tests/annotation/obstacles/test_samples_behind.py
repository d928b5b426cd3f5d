"""The samples behind a part of the disagreement are those that hold it, the most telling first."""

from collections.abc import Iterator

import numpy as np
import pytest

from annotation.agreement.alerts import AlertKind
from annotation.agreement.counts import NO_LABEL
from annotation.agreement.disagreements import Material
from annotation.obstacles.addresses import UnknownSamplesError, alert_of, behind_of, query_of, query_of_alert
from annotation.obstacles.evidence import Behind, items_behind
from annotation.obstacles.findings import THEME, Findings, material_of
from tests.annotation.obstacles.made import DEPTH, RATERS, found_in, labels_of, noisy

A, B, C = RATERS[:3]
GRID = np.array(
    [
        [0, 0, 0],
        [0, 1, 0],
        [1, 2, NO_LABEL],
        [0, 3, 3],
        [2, NO_LABEL, NO_LABEL],
        [2, 2, 3],
    ]
)
LABELS = labels_of(GRID, topics=["sleep", "sleep", "grief", "grief", "grief", ""])
MATERIAL = material_of(LABELS, DEPTH, {})


def behind(meant: Behind) -> list[object]:
    return list(items_behind(MATERIAL, meant, LABELS.course.order))


@pytest.mark.parametrize(
    ("meant", "numbers"),
    [
        (Behind(), {2, 3, 4, 6}),
        (Behind(raters=(A,)), {2, 3, 4, 6}),
        (Behind(raters=(C,)), {2, 4, 6}),
        (Behind(raters=(B, C)), {2, 3, 4, 6}),
        (Behind(pairs=(("0", "1"),)), {2}),
        (Behind(pairs=(("3", "2"), ("1", "2"))), {3, 6}),
        (Behind(raters=(C,), pairs=(("0", "3"),)), {4}),
        (Behind(group=(THEME, "grief")), {3, 4}),
        (Behind(raters=(A,), group=(THEME, "grief")), {3, 4}),
        (Behind(raters=(A,), n_first=3), {2, 3}),
        (Behind(raters=(C,), n_first=2), {2}),
        (Behind(clause="D1"), {2, 4}),
        (Behind(clause="D2"), {3, 6}),
    ],
)
def test_those_that_hold_the_disagreement(meant: Behind, numbers: set[int]) -> None:
    found = behind(meant)
    assert set(found) == numbers
    assert len(found) == len(numbers)


def test_the_widest_apart_come_first() -> None:
    assert behind(Behind())[0] == 4


def test_a_clause_that_stands_behind_nothing_has_no_samples() -> None:
    # Every pair of the levels that D3 defines is put down to a clause that both share.
    shared = Material(MATERIAL.ratings, MATERIAL.scale, clauses_of=dict.fromkeys(DEPTH.codes, ("D1",)))
    named = Material(shared.ratings, shared.scale, clauses_of={**shared.clauses_of, "0": ("D1", "D3")})
    assert items_behind(named, Behind(clause="D3"), LABELS.course.order) == ()


@pytest.fixture(scope="module")
def findings() -> Findings:
    codes = noisy(3, share=0.15)
    codes[:, 0] = np.minimum(codes[:, 0] + 1, 3)
    return found_in(labels_of(codes, topics=["grief", "sleep"] * 100))


def everything_behind(findings: Findings) -> Iterator[tuple[Behind, int]]:
    for parts in findings.ways.values():
        yield from ((part.behind, part.n_samples) for part in parts)
    yield from ((cause.behind, cause.n_samples) for cause in findings.causes)
    yield from ((each.behind, each.n_samples) for each in findings.what_ifs)


def test_every_address_leads_back_to_the_samples_that_were_counted(findings: Findings) -> None:
    codes = noisy(3, share=0.15)
    codes[:, 0] = np.minimum(codes[:, 0] + 1, 3)
    labels = labels_of(codes, topics=["grief", "sleep"] * 100)
    material = material_of(labels, DEPTH, {})
    meant = list(everything_behind(findings))
    assert len(meant) > 25
    for each, n_samples in meant:
        query: dict[str, list[str]] = {}
        for name, value in (pair.split("=") for pair in query_of("depth", each).split("&")):
            query.setdefault(name, []).append(value.replace("+", " "))
        again = behind_of(query, material)
        assert len(items_behind(material, again, labels.course.order)) == n_samples, each


@pytest.mark.parametrize(
    "query",
    [
        {"person": ["C-000000"]},
        {"answer": ["0"]},
        {"answer": ["0", "0"]},
        {"answer": ["0", "9"]},
        {"answer": ["0", "1", "2"]},
        {"clause": ["Z9"]},
        {"clause": ["D1", "D2"]},
        {"division": ["theme"]},
        {"group": ["grief"]},
        {"division": ["theme"], "group": ["nothing"]},
        {"division": ["weather"], "group": ["grief"]},
        {"first": ["50"]},
        {"person": [A], "first": ["-1"]},
        {"person": [A], "first": ["²"]},
        {"colour": ["red"]},
    ],
)
def test_an_address_that_means_nothing_is_refused(query: dict[str, list[str]]) -> None:
    with pytest.raises(UnknownSamplesError):
        behind_of(query, MATERIAL)


def test_an_alert_is_found_by_its_address_while_it_stands(findings: Findings) -> None:
    alert = findings.alerts[0]
    query = dict(pair.split("=") for pair in query_of_alert("depth", alert).split("&"))
    named = {name: [value] for name, value in query.items()}
    assert alert_of(named, findings.alerts) is alert
    assert alert_of(named, ()) is None
    for wrong in ({**named, "alert": ["mood"]}, {**named, "clause": ["D1"]}):
        with pytest.raises(UnknownSamplesError):
            alert_of(wrong, findings.alerts)


def test_the_alert_is_about_the_clinician_who_leans(findings: Findings) -> None:
    assert {(alert.kind, alert.rater) for alert in findings.alerts} >= {(AlertKind.BIAS, A)}
