"""The policy on whole pools: chances that are right, clusters, floors, and the same picks for a seed."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datasets_app.selection.documents import Reason
from datasets_app.selection.lexicon import shipped_lexicon
from datasets_app.selection.outcome import picked_units, report_of
from datasets_app.selection.policy import RARE, UNNAMED, Selection, select
from datasets_app.selection.pool import Pool, gather
from datasets_app.sources.records import Turn
from tests.datasets_app.selection.making import mixed_pool, pool_of, turns_of, unit_of, verified_dataset

SEEDS = 120
LEXICON = shipped_lexicon()


def clustered_pool() -> Pool:
    """90 units: 30 alone, and 20 clusters of two to four."""
    units = [unit_of("suicidality", number) for number in range(30)]
    sizes = [2, 3, 4] * 6 + [3, 3]
    for cluster, size in enumerate(sizes):
        category = "grief_complicated" if cluster % 2 else "chronic_pain_despair"
        first = 10 * cluster
        units += [unit_of(category, first + mate, group=f"cluster {cluster}") for mate in range(size)]
    return pool_of(units)


def keys_of(selection: Selection) -> list[str]:
    return [selection.frame.units[pick.place].key for pick in selection.picks]


def test_weighted_totals_are_unbiased_over_seeds() -> None:
    """Horvitz-Thompson: how many units, words, and units of a category there are, cluster mates included."""
    pool = clustered_pool()
    truths = np.array([len(pool.units), sum(unit.words for unit in pool.units), 30.0])
    totals = np.zeros((SEEDS, 3))
    for seed in range(SEEDS):
        selection = select(pool, LEXICON, 20, seed)
        for pick in selection.picks:
            unit = selection.frame.units[pick.place]
            values = (1, unit.words, unit.category == "suicidality")
            totals[seed] += np.array(values) / pick.inclusion_probability
    errors = totals.std(axis=0, ddof=1) / np.sqrt(SEEDS)
    assert (np.abs(totals.mean(axis=0) - truths) < 3.5 * errors).all()


def test_each_unit_is_drawn_as_often_as_its_chance_says() -> None:
    """Of those picked at random, whose chance is the same under every seed in a pool without clusters."""
    pool = mixed_pool({"suicidality": 30, "grief_complicated": 30})
    counts: Counter[str] = Counter()
    chances = {}
    for seed in range(SEEDS):
        selection = select(pool, LEXICON, 20, seed)
        for pick in selection.picks:
            key = selection.frame.units[pick.place].key
            counts[key] += 1
            chances[key] = pick.inclusion_probability
    assert len(chances) == 60
    for key, chance in chances.items():
        spread = np.sqrt(chance * (1 - chance) / SEEDS)
        assert abs(counts[key] / SEEDS - chance) <= 4.5 * spread


def test_cluster_mates_are_never_picked_together() -> None:
    pool = clustered_pool()
    for seed in range(20):
        selection = select(pool, LEXICON, 40, seed)
        groups = Counter(selection.frame.units[pick.place].group for pick in selection.picks)
        assert max(groups.values()) == 1
        assert len(groups) == 40


def test_the_same_seed_gives_the_same_picks_in_whatever_order_they_were_read() -> None:
    pool = clustered_pool()
    backwards = pool.only(np.arange(len(pool.units))[::-1])
    one, other = (picked_units(select(made, LEXICON, 25, 7)) for made in (pool, backwards))
    assert one == other
    assert keys_of(select(pool, LEXICON, 25, 8)) != keys_of(select(pool, LEXICON, 25, 7))


def test_floors_hold_in_the_picks() -> None:
    pool = mixed_pool({"": 900, "suicidality": 12, "grief_complicated": 40})
    selection = select(pool, LEXICON, 500, 1)
    found = Counter(selection.judged.strata[pick.place].category for pick in selection.picks)
    assert selection.floors.category == 10
    assert found["suicidality"] >= 10
    assert found["grief_complicated"] >= 10
    severe = sum(selection.judged.strata[pick.place].is_severe for pick in selection.picks)
    assert selection.floors.severe == 50
    assert severe == 12  # all there are
    assert {pick.reason for pick in selection.picks} >= {Reason.COVERAGE, Reason.RANDOM}


def test_a_tenth_is_random_and_the_rest_is_certain() -> None:
    selection = select(mixed_pool({"suicidality": 100, "": 200}), LEXICON, 100, 3)
    chances = {pick.reason: pick.inclusion_probability for pick in selection.picks}
    reasons = Counter(pick.reason for pick in selection.picks)
    assert reasons[Reason.RANDOM] == 10
    assert chances.pop(Reason.RANDOM) == pytest.approx(10 / 210)
    assert set(chances.values()) == {1.0}


def test_where_less_is_there_than_wanted_all_of_it_is_picked() -> None:
    selection = select(clustered_pool(), LEXICON, 5_000, 1)
    assert len(selection.picks) == 50
    assert {pick.reason for pick in selection.picks} <= {
        Reason.COVERAGE,
        Reason.CATEGORY_FLOOR,
        Reason.SEVERE_FLOOR,
    }


def test_topics_of_few_are_one_stratum_and_no_topic_is_what_the_lexicon_hears() -> None:
    found = [
        *((replace(unit_of("", at), category=f"topic {at}"), turns_of("", at)) for at in range(5)),
        *((replace(unit_of("suicidality", at), category=""), turns_of("suicidality", at)) for at in range(3)),
    ]
    selection = select(gather([found], LEXICON), LEXICON, 8, 1)
    categories = Counter(stratum.category for stratum in selection.judged.strata)
    assert categories == {RARE: 5, "suicidality": 3}
    assert UNNAMED not in categories
    topics = Counter(
        pick.topic for pick in picked_units(selection)
    )  # which people may opt out of, rare or not
    assert topics == {**{f"topic {at}": 1 for at in range(5)}, "suicidality": 3}


def test_the_lexicon_differs_only_where_it_knows_the_declared_category() -> None:
    declared = {"suicidality": 1, "unheard of": 0, "": 0}
    for category, expected in declared.items():
        # The text is ordinary: the lexicon hears nothing, and one category alone cannot be learned.
        found = [(replace(unit_of("", at), category=category), turns_of("", at)) for at in range(30)]
        selection = select(gather([found], LEXICON), LEXICON, 5, 1)
        assert set(selection.judged.scores["difficulty"]) == {expected}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_smallest_pools_have_their_picks(count: int) -> None:
    selection = select(mixed_pool({"": count}), LEXICON, 3, 1)
    assert len({pick.place for pick in selection.picks}) == len(selection.picks) == min(count, 3)


def test_of_few_picks_one_is_random_so_that_all_have_a_chance() -> None:
    selection = select(mixed_pool({"": 80}), LEXICON, 5, 1)
    assert Counter(pick.reason for pick in selection.picks)[Reason.RANDOM] == 1


def test_where_no_word_is_shared_the_classifier_abstains() -> None:
    words = ["zebra", "quince", "violin", "harbour"]
    found = [
        (replace(unit_of("", at), category=("grief", "work")[at % 2]), (Turn("user", f"{word} {word}"),))
        for at, word in enumerate(words)
    ]
    selection = select(gather([found], LEXICON), LEXICON, 4, 1)
    assert len(selection.picks) == 4


def test_many_topics_leave_the_crises_their_floor_and_the_report_says_so(tmp_path: Path) -> None:
    topics = [
        (replace(unit_of("", at), category=f"topic {at % 60}", group=f"t{at}"), turns_of("", at))
        for at in range(60 * 20)
    ]
    crises = [(unit_of("grief_complicated", at), turns_of("grief_complicated", at)) for at in range(12)]
    pool = gather([topics, crises], LEXICON)
    selection = select(pool, LEXICON, 500, 1)
    report = report_of(selection, pool, verified_dataset(tmp_path, {"": 50}), LEXICON)
    rows = {facts.name: facts for facts in report.categories}
    assert rows["grief_complicated"].wanted == 10
    assert rows["grief_complicated"].found >= 10
    assert all(rows[f"topic {at}"].found >= rows[f"topic {at}"].wanted == 7 for at in range(60))
    assert any(
        "10 picks of every topic" in sentence and "lowered to 7" in sentence for sentence in report.shortfalls
    )
