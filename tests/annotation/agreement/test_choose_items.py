"""The samples behind a cell, against a search through the labels one by one."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.agreement.chosen_items import Choice, chosen_items, items_by_answers
from annotation.agreement.counts import NO_LABEL
from annotation.agreement.dimension_labels import DimensionLabels
from tests.annotation.agreement.laid_out import CODES, RATERS, laid_out

GRIDS = st.lists(st.tuples(*[st.sampled_from([NO_LABEL, 0, 1, 2])] * 3), min_size=1, max_size=12)


def said(labels: DimensionLabels, item: int) -> dict[str, str]:
    row = labels.ratings.codes[item - 1]
    return {rater: CODES[code] for rater, code in zip(RATERS, row, strict=True) if code != NO_LABEL}


@given(GRIDS, st.sampled_from(["", *RATERS]), st.sampled_from(["", *RATERS]), st.data())
def test_pairs_of_people_and_of_answers(
    grid: list[tuple[int, ...]], person: str, other: str, data: st.DataObject
) -> None:
    labels = laid_out(np.array(grid))
    answer = data.draw(st.sampled_from(["", *CODES]))
    against = data.draw(st.sampled_from(["", *CODES]))
    found = chosen_items(labels, Choice(person=person, other=other, answer=answer, against=against))

    def fits(item: int) -> bool:
        given_labels = said(labels, item)
        firsts = {
            rater for rater, code in given_labels.items() if person in ("", rater) and answer in ("", code)
        }
        if not (other or against):
            return bool(firsts)
        seconds = {
            rater for rater, code in given_labels.items() if other in ("", rater) and against in ("", code)
        }
        return any(one in firsts and two in seconds for one, two in permutations(given_labels, 2))

    assert found == tuple(item for item in labels.overlap_items if fits(item))


@given(GRIDS)
def test_the_table_of_answers_counts_what_its_cells_list(grid: list[tuple[int, ...]]) -> None:
    labels = laid_out(np.array(grid))
    table = items_by_answers(labels.ratings.codes[labels.has_overlap], len(CODES))
    for row, answer in enumerate(CODES):
        for column, against in enumerate(CODES):
            listed = chosen_items(labels, Choice(answer=answer, against=against))
            assert table[row, column] == len(listed), (answer, against)


@given(GRIDS, st.sampled_from(CODES))
def test_a_class_from_a_level_on(grid: list[tuple[int, ...]], code: str) -> None:
    labels = laid_out(np.array(grid))
    found = chosen_items(labels, Choice(at_least=code))
    assert found == tuple(
        item for item in labels.overlap_items if any(given >= code for given in said(labels, item).values())
    )


def test_the_first_items_and_a_window() -> None:
    labels = laid_out(np.tile([0, 1, NO_LABEL], (150, 1)))
    assert chosen_items(labels, Choice(first=3)) == (1, 2, 3)
    assert chosen_items(labels, Choice(person="anna", through=120)) == tuple(range(21, 121))
    assert chosen_items(labels, Choice(person="anna", through=40)) == tuple(range(1, 41))
    assert chosen_items(labels, Choice(person="carl")) == ()
    assert chosen_items(labels, Choice(person="nobody")) == ()


def test_a_code_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError):
        chosen_items(laid_out(np.array([[0, 1, 2]])), Choice(answer="7"))
