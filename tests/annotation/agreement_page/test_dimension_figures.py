"""What the page is told of a dimension: the course of time, very many people, nothing at all."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.agreement.chosen_items import Choice, chosen_items
from annotation.agreement.counts import NO_LABEL, IntArray
from annotation.agreement.distances import weighting_of
from annotation.agreement.estimates import Resampling
from annotation.agreement.pairs import pair_kappas
from annotation.agreement.raters import rolling_figures
from annotation.agreement_page.dimension_figures import RATERS_SHOWN, Design, detail_of, headline_of
from annotation.agreement_page.presenter import readings
from tests.annotation.agreement.laid_out import CODES, laid_out
from tests.annotation.obstacles.made import found_in, labels_of, noisy

DESIGN = Design(at_least=("1",))


def grid(n_items: int, n_raters: int = 3) -> IntArray:
    """Labels of which one in ten is off by one; each item by all raters but one."""
    rng = np.random.default_rng(7)
    truth = rng.integers(0, len(CODES), (n_items, 1))
    off = rng.random((n_items, n_raters)) < 0.1
    codes: IntArray = (truth + off) % len(CODES)
    codes[np.arange(n_items), np.arange(n_items) % n_raters] = NO_LABEL
    return codes


def test_points_of_the_course_stay_where_they_are() -> None:
    earlier, later = (detail_of(laid_out(grid(300)[:n]), DESIGN, seed=1) for n in (230, 240))
    assert earlier is not None
    assert later is not None
    assert earlier.course[:-1] == later.course[: len(earlier.course) - 1]
    assert [point.n_items for point in later.course] == [*range(50, 240, 10), 240]
    assert [point.completed_at for point in later.course] == [point.n_items for point in later.course]


def test_points_that_rest_on_the_same_labels_are_not_computed_again() -> None:
    codes = grid(300)
    earlier = detail_of(laid_out(codes[:230]), DESIGN, seed=1)
    codes[101, 0] = (codes[101, 0] + 2) % len(CODES)  # by all raters but the last of its three
    assert earlier is not None
    labels = laid_out(codes[:240])
    later = detail_of(labels, DESIGN, seed=1, known=earlier.course)
    assert later is not None
    estimates = {id(point.estimate) for point in earlier.course}
    kept = [point.n_items for point in later.course if id(point.estimate) in estimates]
    assert kept == [50, 60, 70, 80, 90, 100]
    anew = detail_of(labels, DESIGN, seed=1)
    assert anew is not None
    assert later.course == anew.course


def test_a_new_guideline_version_is_marked_where_it_begins() -> None:
    detail = detail_of(laid_out(grid(80), new_version_from=33), DESIGN, seed=1)
    assert detail is not None
    assert detail.version_marks == ((33.0, "1.1"),)


def test_the_latest_window_is_the_last_of_all_windows() -> None:
    labels = laid_out(grid(217))
    # Three samples of each conversation, the oldest of all of one: a window is of its own conversations.
    conversations = np.maximum(np.arange(217) // 3, 20)
    object.__setattr__(labels, "ratings", replace(labels.ratings, clusters=conversations))
    detail = detail_of(labels, DESIGN, seed=1)
    assert detail is not None
    for rater in labels.ratings.raters:
        every = rolling_figures(
            labels.ratings, rater, labels.scale, step_items=1, resampling=Resampling(seed=1)
        )
        latest = detail.raters[str(rater)].latest
        assert latest is not None
        assert latest.last_item == every[-1].last_item
        assert latest.agreement == pytest.approx(every[-1].agreement)


def test_of_very_many_people_those_with_the_most_labels_are_shown() -> None:
    n_raters = RATERS_SHOWN + 5
    codes = grid(120, n_raters)
    codes[10:, :5] = NO_LABEL
    raters = tuple(f"C-{place:02}" for place in range(n_raters))
    detail = detail_of(laid_out(codes, raters), DESIGN, seed=1)
    assert detail is not None
    assert detail.people == raters[5:]
    assert detail.n_people_left_out == 5
    assert set(detail.raters) == set(raters[5:])


def test_who_is_not_shown_still_makes_an_item_one_of_the_overlap() -> None:
    codes = grid(120, RATERS_SHOWN + 5)
    codes[10:, :5] = NO_LABEL
    # An item of two, of whom one is not among those shown.
    codes[119] = NO_LABEL
    codes[119, [0, 7]] = 1
    raters = tuple(f"C-{place:02}" for place in range(RATERS_SHOWN + 5))
    labels = laid_out(codes, raters)
    detail = detail_of(labels, DESIGN, seed=1)
    assert detail is not None
    for person in detail.people:
        opened = chosen_items(labels, Choice(person=person))
        assert detail.raters[person].figures.n_overlap_labels == len(opened), person
    rows = {row.name: row for row in readings(headline_of(labels, DESIGN, seed=1), detail)}
    for name in ("Mean pairwise kappa", "ICC(2,1)", "ICC(2,k)"):
        assert rows[name].not_measured.startswith("25 clinicians labelled here"), name


def test_people_are_weighted_as_what_stands_between_us_weighs_them() -> None:
    codes = noisy(3)
    codes[:60, 1] = np.minimum(codes[:60, 1] + 1, 3)
    labels = labels_of(codes, weights=[4.0] * 60 + [1.0] * 140)
    detail, apart = detail_of(labels, Design(), seed=0), found_in(labels).shortfall
    assert detail is not None
    assert apart is not None
    for person, each in apart.raters.items():
        beside = detail.raters[str(person)].figures
        assert beside.signed_bias.value == each.signed_bias.value
        assert beside.leave_one_out.value == each.leave_one_out.value
        assert beside.leave_one_out.statistic == each.leave_one_out.statistic
    kappas = pair_kappas(labels.ratings, labels.scale, weighting_of(labels.scale), weights=labels.weights)
    assert {pair: one.value for pair, one in detail.kappas.of_pair.items()} == pytest.approx(
        {pair: one.value for pair, one in kappas.of_pair.items()}
    )


def test_without_overlap_there_is_a_headline_and_no_more() -> None:
    labels = laid_out(np.array([[0, NO_LABEL, NO_LABEL], [NO_LABEL, 2, NO_LABEL]]))
    headline = headline_of(labels, DESIGN, seed=1)
    assert (headline.alpha.deciding.value, headline.n_single) == (None, 2)
    assert detail_of(labels, DESIGN, seed=1) is None
