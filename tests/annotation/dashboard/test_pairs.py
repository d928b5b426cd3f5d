"""The pair matrix: each pair once, and a size that can be read."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from annotation.dashboard.pairs import PEOPLE_SHOWN, matrix_of


def test_each_pair_stands_once_below_the_diagonal() -> None:
    matrix = matrix_of({frozenset("AB"): 435, frozenset("BC"): 430, frozenset("AC"): 441})
    assert matrix.columns == ["A", "B"]
    assert matrix.rows == [
        ("B", [("A", 435), ("B", None)]),
        ("C", [("A", 441), ("B", 430)]),
    ]
    assert (matrix.lowest, matrix.highest, matrix.people_left_out) == (430, 441, 0)


def test_two_who_share_nothing_have_an_empty_cell_of_their_own() -> None:
    matrix = matrix_of({frozenset("AB"): 5, frozenset("AC"): 6})
    assert matrix.rows[1] == ("C", [("A", 6), ("B", 0)])


def test_nobody_has_no_rows() -> None:
    matrix = matrix_of({})
    assert (matrix.rows, matrix.lowest, matrix.highest) == ([], 0, 0)


@given(people=st.integers(2, 40), shares=st.data())
def test_of_many_people_those_are_shown_who_share_most(people: int, shares: st.DataObject) -> None:
    codes = [f"C-{number:02}" for number in range(people)]
    pairs = {
        frozenset(two): shares.draw(st.integers(1), 0)
        for two in combinations(codes, 2)
        if shares.draw(st.booleans())
    }
    matrix = matrix_of(pairs)
    shown = {code for code, _ in matrix.rows} | set(matrix.columns)
    everybody = {code for two in pairs for code in two}
    assert len(shown) == min(PEOPLE_SHOWN, len(everybody))
    assert matrix.people_left_out == len(everybody) - len(shown)

    def shared(code: str) -> int:
        return sum(pair for two, pair in pairs.items() if code in two)

    if everybody - shown:
        assert min(map(shared, shown)) >= max(map(shared, everybody - shown))
    cells = {
        frozenset({code, other}): pair for code, row in matrix.rows for other, pair in row if pair is not None
    }
    assert all(cells[two] == pair for two, pair in pairs.items() if two <= shown)
