"""What is found is what the statistics say, and says why where there is nothing to say."""

from itertools import combinations

import numpy as np
import pytest

from annotation.agreement.alerts import AlertKind, alerts
from annotation.agreement.causes import CauseKind, causes
from annotation.agreement.counts import NO_LABEL, Ratings
from annotation.agreement.needed import ceiling
from annotation.agreement.shortfall import shortfall
from annotation.agreement.what_if import Change
from annotation.obstacles.findings import (
    CLINICIANS,
    MOST_GROUPS,
    MOST_RATERS,
    RARE_GROUPS,
    SOURCE,
    THEME,
    VERSION,
    material_of,
)
from tests.annotation.obstacles.made import DEPTH, FEW, RATERS, found_in, labels_of, noisy

CODES = noisy(1)
TOPICS = ["grief", "sleep", "work", ""] * 50


def test_every_figure_is_that_of_the_statistics() -> None:
    repeats = {
        rater: Ratings(CODES[:, [place, place]], np.arange(200), DEPTH.codes, tuple(range(200)), ("1", "2"))
        for place, rater in enumerate(RATERS)
    }
    labels = labels_of(CODES, topics=TOPICS, repeats=repeats)
    found, material = found_in(labels), material_of(labels, DEPTH, {}, FEW)
    assert found.shortfall == shortfall(material, 0.85)
    assert tuple(each.said for each in found.causes) == causes(material).ranked
    by_code = alerts(labels.ratings, labels.scale, labels.course)
    assert [(each.kind, each.rater, each.evidence.items) for each in found.alerts] == [
        (each.kind, each.rater, each.evidence.items) for each in by_code
    ]
    assert found.ceiling == ceiling(repeats, labels.scale, resampling=FEW)


def test_the_parts_of_every_way_add_up_to_what_is_missing_to_one() -> None:
    found = found_in(labels_of(CODES, topics=TOPICS))
    assert found.shortfall is not None
    assert found.shortfall.alpha.value is not None
    assert set(found.ways) == {"answers", "clinicians", "clauses", THEME}
    for name, parts in found.ways.items():
        total = sum(part.said.contribution.part.value or 0.0 for part in parts)
        assert total == pytest.approx(1 - found.shortfall.alpha.value, abs=1e-12), name


def test_a_division_into_one_group_is_none() -> None:
    assert set(found_in(labels_of(CODES)).ways) == {"answers", "clinicians", "clauses"}


def test_samples_of_several_sources_are_divided_by_source_as_well() -> None:
    source_of = {number: "first" if number <= 120 else "second" for number in range(1, 201)}
    material = material_of(labels_of(CODES), DEPTH, source_of)
    assert set(material.groupings) == {SOURCE}
    assert material.groupings[SOURCE].count("first") == 120


def test_rare_themes_stand_together() -> None:
    topics = [f"theme {number // 5}" for number in range(200)]
    material = material_of(labels_of(CODES, topics=topics), DEPTH, {})
    groups = material.groupings[THEME]
    assert len(set(groups)) == MOST_GROUPS + 1
    assert groups.count(RARE_GROUPS) == 200 - 5 * MOST_GROUPS


def test_labels_under_several_guideline_versions_are_divided_by_version() -> None:
    labels = labels_of(CODES)
    labels.version_codes[100:] = 1
    object.__setattr__(labels, "versions", ("1.0", "1.1"))
    assert material_of(labels, DEPTH, {}).groupings[VERSION][99:101] == ("1.0", "1.1")


def test_equal_weights_change_nothing_and_unequal_ones_decide() -> None:
    assert material_of(labels_of(CODES), DEPTH, {}).weights is None
    weighted = found_in(labels_of(CODES, weights=[1.0, 3.0] * 100))
    plain = found_in(labels_of(CODES))
    assert weighted.shortfall is not None
    assert plain.shortfall is not None
    assert weighted.shortfall.alpha.value != plain.shortfall.alpha.value


def test_the_planted_clinician_is_the_first_cause_and_the_first_to_be_looked_at() -> None:
    codes = noisy(2)
    codes[:, 3] = np.minimum(codes[:, 3] + 1, 3)
    found = found_in(labels_of(codes))
    assert (found.causes[0].said.kind, found.causes[0].said.of) == (CauseKind.CLINICIAN, (RATERS[3],))
    assert found.ways[CLINICIANS][0].said.of == RATERS[3]
    assert {alert.rater for alert in found.alerts} == {RATERS[3]}


def test_the_largest_gain_is_supposed_first_and_only_neighbours_are_merged() -> None:
    found = [each.said for each in found_in(labels_of(CODES)).what_ifs]
    gains = [each.gain.value for each in found]
    assert gains == sorted(gains, key=lambda gain: -(gain or 0.0))
    merged = {each.of for each in found if each.change is Change.MERGE}
    assert merged == {("0", "1"), ("1", "2"), ("2", "3")}
    assert {each.change for each in found} >= {Change.WITHOUT_FIRST, Change.WITHOUT_RATER}


def test_of_two_clinicians_nobody_is_set_aside_or_named() -> None:
    found = found_in(labels_of(noisy(4, n_raters=2)))
    assert {each.said.change for each in found.what_ifs} <= {Change.MERGE, Change.CLARIFY}
    assert found.alerts == ()
    assert "two clinicians" in found.no_causes
    assert {each.said.kind for each in found.causes} <= {CauseKind.CONFUSED_CODES, CauseKind.GROUP}


def test_under_fifty_samples_it_is_still_collecting() -> None:
    found = found_in(labels_of(CODES[:49]))
    assert found.is_collecting
    assert found.shortfall is None
    assert found.causes == ()
    assert not found_in(labels_of(CODES[:50])).is_collecting


def test_without_variation_the_reason_stands_instead() -> None:
    found = found_in(labels_of(np.zeros((60, 3), dtype=np.int64)))
    assert found.shortfall is None
    assert "No variation" in found.reason


def test_no_labels_at_all_are_still_collected() -> None:
    found = found_in(labels_of(np.full((0, 0), NO_LABEL)))
    assert found.is_collecting
    assert found.alerts == ()


def test_among_more_people_than_can_be_taken_apart_the_planted_one_is_named() -> None:
    codes = noisy(5, n_raters=MOST_RATERS + 1)
    codes[:, 3] = np.minimum(codes[:, 3] + 1, 3)
    found = found_in(labels_of(codes))
    assert found.reason.startswith("21 clinicians")
    assert found.shortfall is None
    assert {alert.rater for alert in found.alerts} == {RATERS[3]}


def test_what_takes_more_labels_than_there_are_is_not_tested() -> None:
    # Each of five labels two of five: of 240 samples 96 a head, too few for a lean and for a drift.
    pairs = np.array(list(combinations(range(5), 2)))
    codes = noisy(6, n_items=240)
    is_asked = np.zeros(codes.shape, dtype=bool)
    is_asked[np.arange(240)[:, np.newaxis], pairs[np.arange(240) % 10]] = True
    lacking = found_in(labels_of(np.where(is_asked, codes, NO_LABEL))).not_tested
    assert set(lacking) == {AlertKind.DRIFT, AlertKind.BIAS, AlertKind.ONE_ANSWER, AlertKind.REPEATS}
    assert lacking[AlertKind.DRIFT] == "5 of 5 clinicians with fewer than 200 shared samples, the fewest 96"
    assert set(found_in(labels_of(codes)).not_tested) == {AlertKind.REPEATS}


def test_enough_of_everything_leaves_nothing_untested() -> None:
    repeats = {
        rater: Ratings(CODES[:10, [place, place]], np.arange(10), DEPTH.codes, tuple(range(10)), ("1", "2"))
        for place, rater in enumerate(RATERS)
    }
    assert found_in(labels_of(CODES, repeats=repeats)).not_tested == {}
    del repeats[RATERS[0]]
    assert found_in(labels_of(CODES, repeats=repeats)).not_tested == {
        AlertKind.REPEATS: "1 of 5 clinicians with fewer than 10 repeated samples of their own or of the "
        "others, the fewest 0"
    }
