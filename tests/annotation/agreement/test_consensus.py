"""One answer from several labels, and what is left to adjudication."""

import numpy as np
import pytest

from annotation.agreement.consensus import Consensus, consensus, dawid_skene, vote_shares
from annotation.agreement.distances import Scale
from annotation.agreement.estimates import Status
from tests.annotation.agreement.designs import counts_of_matrix, random_codes, ratings_of_codes


def consensus_of(votes: list[int], scale: Scale, alarm_from: int | None = None) -> Consensus:
    (found,) = consensus(counts_of_matrix(np.array([votes])), scale, alarm_from=alarm_from)
    return found


@pytest.mark.parametrize(
    ("votes", "choice", "is_tied"),
    [
        ([0, 2, 1], 1, False),
        ([1, 0, 1], 0, True),
        ([1, 1, 0], 0, True),
        ([2, 0, 2], 0, True),
        ([1, 1, 1], 1, False),
        ([0, 0, 5], 2, False),
        ([2, 2, 1], 1, False),
    ],
)
def test_ordered_labels_have_their_median_and_the_lower_of_two(
    votes: list[int], choice: int, is_tied: bool
) -> None:
    assert consensus_of(votes, Scale.ORDINAL) == Consensus(choice, tuple(votes), is_tied)


@pytest.mark.parametrize(("votes", "choice"), [([0, 2, 1], 1), ([1, 1, 0], None), ([3, 1, 1], 0)])
def test_nominal_labels_have_their_majority_or_go_to_adjudication(
    votes: list[int], choice: int | None
) -> None:
    found = consensus_of(votes, Scale.NOMINAL)
    assert found.choice == choice
    assert found.is_tied is (choice is None)
    assert bool(found.reason) is (choice is None)


@pytest.mark.parametrize("scale", [Scale.ORDINAL, Scale.NOMINAL])
def test_a_lone_act_now_is_never_outvoted(scale: Scale) -> None:
    found = consensus_of([4, 0, 0, 0, 1, 0], scale, alarm_from=4)
    assert found.choice is None
    assert "not outvoted" in found.reason
    assert found.votes == (4, 0, 0, 0, 1, 0)
    assert consensus_of([0, 0, 0, 1, 2, 0], scale, alarm_from=4).choice == 4


def test_an_alarm_level_is_a_declared_one() -> None:
    with pytest.raises(ValueError, match="not one of the declared"):
        consensus_of([1, 1], Scale.ORDINAL, alarm_from=7)


def test_the_whole_vote_is_kept() -> None:
    shares = vote_shares(counts_of_matrix(np.array([[1, 3, 0], [0, 0, 2]])))
    assert shares.tolist() == [[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]


def test_dawid_and_skene_find_the_truth_behind_a_careless_rater() -> None:
    pytest.importorskip("crowdkit", reason="the extra crowd-kit is not installed")
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 300)
    right = rng.random((300, 4)) < [0.9, 0.9, 0.85, 0.35]
    codes = np.where(right, truth[:, np.newaxis], rng.integers(0, 3, (300, 4)))
    found = dawid_skene(ratings_of_codes(codes, 4))
    assert found.status is Status.OK
    assert found.posterior is not None
    assert found.posterior.shape == (300, 4)
    assert found.posterior.sum(axis=1) == pytest.approx(np.ones(300))
    assert (found.posterior.argmax(axis=1) == truth).mean() > 0.93


def test_without_labels_there_is_no_diagnostic() -> None:
    pytest.importorskip("crowdkit", reason="the extra crowd-kit is not installed")
    found = dawid_skene(ratings_of_codes(random_codes(1, n_items=3, n_raters=2, n_categories=2)[:0], 2))
    assert (found.posterior, found.status) == (None, Status.NOT_ESTIMABLE)


def test_without_the_extra_the_diagnostic_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "crowdkit.aggregation", None)
    found = dawid_skene(ratings_of_codes(random_codes(1, n_items=3, n_raters=2, n_categories=2), 2))
    assert found.status is Status.NOT_ESTIMABLE
    assert "not installed" in found.reason
