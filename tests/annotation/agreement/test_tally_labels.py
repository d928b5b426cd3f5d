"""Labels become counts, and labels that cannot be counted are refused."""

import pytest

from annotation.agreement.counts import tally_labels

LABELS = [
    ("s1", "anna", "low"),
    ("s1", "ben", "low"),
    ("s2", "anna", "high"),
    ("s2", "cleo", "low"),
    ("s3", "ben", "high"),
]


def test_each_item_is_a_row_and_each_declared_category_a_column() -> None:
    counts = tally_labels(LABELS, ["low", "middle", "high"])
    assert counts.matrix.tolist() == [[2, 0, 0], [1, 0, 1], [0, 0, 1]]
    assert counts.categories == ("low", "middle", "high")
    assert (counts.n_items, counts.n_labels, counts.n_raters) == (3, 5, 3)
    assert counts.has_overlap.tolist() == [True, True, False]


def test_items_stand_alone_unless_a_conversation_is_named() -> None:
    assert tally_labels(LABELS, ["low", "high"]).clusters.tolist() == [0, 1, 2]
    conversations = {"s1": "c1", "s2": "c2", "s3": "c1"}
    assert tally_labels(LABELS, ["low", "high"], conversations).clusters.tolist() == [0, 1, 0]


def test_no_labels_are_no_items() -> None:
    counts = tally_labels([], ["low", "high"])
    assert counts.matrix.shape == (0, 2)
    assert (counts.n_items, counts.n_labels, counts.n_raters) == (0, 0, 0)


def test_two_labels_by_one_rater_on_one_item_are_refused() -> None:
    with pytest.raises(ValueError, match="Rater 'anna' has more than one label on item 's1'"):
        tally_labels([*LABELS, ("s1", "anna", "high")], ["low", "high"])


def test_an_undeclared_code_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="rater 'dan' on item 's9'") as refusal:
        tally_labels([*LABELS, ("s9", "dan", "what the client said")], ["low", "high"])
    assert "what the client said" not in str(refusal.value)


@pytest.mark.parametrize("categories", [[], ["low", "high", "low"]])
def test_empty_or_repeated_categories_are_refused(categories: list[str]) -> None:
    with pytest.raises(ValueError, match="declared categories"):
        tally_labels(LABELS, categories)


def test_an_item_without_a_conversation_is_refused() -> None:
    with pytest.raises(ValueError, match="Item 's3' has labels but no cluster"):
        tally_labels(LABELS, ["low", "high"], {"s1": "c1", "s2": "c1"})
